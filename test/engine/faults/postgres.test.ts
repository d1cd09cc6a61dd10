import pg from "pg";
import { expect, it } from "vitest";
import { poll } from "../../../dev/lab/poll";
import type { TcpFault } from "../../../dev/lab/tcp-proxy";
import { up } from "../harness";
import { type FaultCase, faultMatrix, nextDue } from "./matrix";
import type { World } from "./world";

/** The server fails from now on. */
const now =
  (fault: TcpFault) =>
  async ({ postgres }: World) => {
    await postgres.setFault(fault);
    return () => postgres.setFault(undefined);
  };

/** Right before the statement that changes a role. */
function beforeAlter(world: World, run: () => Promise<unknown>): void {
  world.postgres.watch({ when: (sent) => sent.includes("ALTER ROLE"), run });
}

/** A setting of the server, in force at once for new sessions. */
async function setting({ lab }: World, statement: string): Promise<void> {
  await lab.postgres.query(statement);
  await lab.postgres.query("SELECT pg_reload_conf()");
}

const CASES: Record<string, FaultCase> = {
  "is down": {
    breaks: now("refuse"),
    says: ["nothing was changed", /database: \S+ cannot log in to trader on 127\.0\.0\.1:\d+: .*ECONNREFUSED/],
    reached: {},
  },
  "takes connections and never answers": {
    breaks: now("hang"),
    says: ["nothing was changed", /database: \S+ cannot log in to trader on \S+: timeout expired/],
    reached: {},
  },
  "cuts every connection": {
    breaks: now("cut"),
    says: ["nothing was changed", /database: \S+ cannot log in to trader on /],
    reached: {},
  },
  "takes no writes": {
    sample: true,
    breaks: async (world) => {
      await setting(world, "ALTER SYSTEM SET default_transaction_read_only = on");
      await readOnly(world, "on");
      return async () => {
        await setting(world, "ALTER SYSTEM RESET default_transaction_read_only");
        await readOnly(world, "off");
      };
    },
    says: [
      "nothing was changed",
      /database, audit log: trader on 127|database: trader on 127/,
      "takes no writes now: default_transaction_read_only is on",
      "make it writable and run this again",
    ],
    reached: {},
  },
  "has no connection left": {
    breaks: async ({ lab }) => {
      const hogs: pg.Client[] = [];
      const { host, port, adminUser: user, adminPassword: password, database } = lab.postgres;
      const taken = poll(
        async () => {
          const client = new pg.Client({ host, port, user, password, database });
          client.on("error", () => undefined);
          const refused = await client.connect().then(
            () => false,
            (error: Error) => /too many clients/.test(error.message),
          );
          if (!refused) hogs.push(client);
          return refused;
        },
        { what: "the last connection", limitMs: 200_000, everyMs: 1 },
      );
      await taken;
      return () => Promise.all(hogs.map((hog) => hog.end()));
    },
    says: ["nothing was changed", "sorry, too many clients already"],
    reached: {},
  },
  "goes down right before the role changes": {
    sample: true,
    by: "rotation",
    breaks: async (world) => {
      beforeAlter(world, () => world.postgres.setFault("refuse"));
      return () => world.postgres.setFault(undefined);
    },
    says: [/the rotation to generation \d+ has begun and is not finished/, "could not be tried", "rotation run"],
    reached: {},
  },
  "restarts right before the role changes": {
    by: "rotation",
    breaks: async (world) => {
      beforeAlter(world, () => world.lab.postgres.restart());
      return async () => undefined;
    },
    says: [/the rotation to generation \d+ has begun and is not finished/, "rotation run"],
    reached: {},
  },
};

const slow = (world: () => World) =>
  it("is slow: the rotation takes longer, and is done", async () => {
    await nextDue(world());
    await world().postgres.setFault({ delayMs: 200 });
    try {
      await up(world());
    } finally {
      await world().postgres.setFault(undefined);
    }
    expect(await world().lab.store.get("database/password")).toBeDefined();
  });

faultMatrix("PostgreSQL", CASES, {
  labOptions: { postgresSettings: { max_connections: "40", superuser_reserved_connections: "0" } },
  more: slow,
});

const readOnly = ({ lab }: World, wanted: "on" | "off") =>
  poll(
    async () =>
      (await lab.postgres.query("SELECT current_setting('transaction_read_only') AS now")).rows[0].now === wanted,
    { what: `transaction_read_only = ${wanted}`, limitMs: 60_000 },
  );
