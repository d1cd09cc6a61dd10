import { randomBytes } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@redis/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../cli/toolchain/project";
import { messageOf } from "../../core/errors";
import { labConfig } from "../../dev/lab/deploy";
import { startLoad } from "../../dev/lab/load";
import { poll } from "../../dev/lab/poll";
import { noRedis, type Redis, type RedisNode } from "../../dev/lab/redis";
import { parseUser, passwordHash } from "../../kinds/redis-password/acl";
import { fine, rotation, unwrapped } from "../engine/cli-support";
import { auditRows, type Bench, refusedUp, setDay, startBench, stateOf, stored, up } from "../engine/harness";
import { startSentinel } from "../servers/kinds/redis-password/support";
import { programIn, unpacked } from "./ground/packages";

const SECRET = "redis/password";
const READERS = ["signal-service", "orchestrator"];
const SENTINELS = 3;
/** What Sentinel needs at the servers that it watches. */
const RIGHTS = ["~*", "+@all"];

const missing = process.arch === "x64" ? noRedis() : "the other servers are packages for x64";

const SERVERS = [
  { title: "Redis 7 of Debian 12", server: async () => undefined },
  { title: "Redis 6.0 of Debian 11", server: () => of("bullseye", "redis-server") },
  { title: "Valkey 8 of Debian 13", server: () => of("trixie", "valkey-server") },
];

describe.skipIf(missing !== undefined).each(SERVERS)("$title, three servers behind Sentinel", ({ title, server }) => {
  let bench: Bench;
  let watching: { readonly address: string; stop(): Promise<void> }[] = [];
  beforeAll(async () => {
    const program = await server();
    bench = await startBench({
      labOptions: {
        redis: { replicas: 2, ...(program === undefined ? {} : { server: program }) },
        services: READERS.map((name) => ({ name, redis: SECRET })),
      },
      only: [SECRET],
    });
    watching = await watched(program);
    const { secrets } = labConfig({ lab: bench.lab, only: [SECRET] }) as { secrets: object[] };
    const sentinel = { nodes: watching.map(({ address }) => address), master: "orders" };
    await bench.stack.configure("secrets", [{ ...secrets[0], sentinel }]);
  });
  afterAll(async () => {
    await Promise.allSettled(watching.map((one) => one.stop()));
    await bench?.lab.stop();
  });

  const redis = (): Redis => {
    const { redis: found } = bench.lab;
    if (found === undefined) throw new Error("the lab has no Redis");
    return found;
  };
  const current = async () => (await stored(bench, SECRET)).value;

  /** Three Sentinels, which log in to the servers as a user of their own. */
  async function watched(program: readonly string[] | undefined) {
    const password = randomBytes(16).toString("hex");
    for (const node of redis().nodes) {
      await node.ask("ACL", "SETUSER", "sentinel", "on", `#${passwordHash(password)}`, ...RIGHTS);
      // Redis 6.0 has no rules of channels: every user may use all.
      await node.ask("ACL", "SETUSER", "sentinel", "allchannels").catch(() => undefined);
    }
    const dir = join(bench.lab.dir, "sentinel");
    await mkdir(dir, { recursive: true });
    const settings = { "down-after-milliseconds": 1000, "failover-timeout": 6000 };
    const as = { user: "sentinel", password, quorum: 2, settings, ...(program && { server: program }) };
    const started = await Promise.all(Array.from({ length: SENTINELS }, () => startSentinel(redis(), dir, as)));
    for (const { address } of started) {
      await poll(async () => (await seenBy(address)) === 2 * 10 + SENTINELS - 1, {
        what: `the Sentinel ${address} knows two replicas and the other Sentinels`,
        limitMs: 60_000,
      });
    }
    return started;
  }

  /** What a Sentinel knows: ten times its replicas, and the other Sentinels. */
  const seenBy = (address: string) =>
    asked(address, async (ask) => {
      const [replicas, others] = [
        await ask("SENTINEL", "REPLICAS", "orders"),
        await ask("SENTINEL", "SENTINELS", "orders"),
      ];
      return (replicas as unknown[]).length * 10 + (others as unknown[]).length;
    });

  /** The primary, as the first Sentinel that answers knows it. */
  const primary = async (): Promise<RedisNode> => {
    const [, port] = await asked(watching[0]?.address ?? "", (ask) =>
      ask<[string, string]>("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "orders"),
    );
    const node = redis().nodes.find((one) => String(one.port) === port);
    if (node === undefined) throw new Error(`no server has the port ${port}`);
    return node;
  };

  /**
   * A client that follows Sentinel, and logs in anew all the time, beside the services. A login that finds no primary is not
   * counted; one that is refused is.
   */
  function following() {
    const seen = { logins: 0, unreachable: 0, refused: [] as string[] };
    let over = false;
    const done = (async () => {
      while (!over) {
        const node = await primary().catch(() => undefined);
        const login = { username: redis().user, password: await current() };
        await (node === undefined ? Promise.reject(new Error("no Sentinel")) : at(node, login, (ask) => ask("PING")))
          .then(() => {
            seen.logins += 1;
          })
          .catch((error: unknown) => {
            if (/WRONGPASS|NOAUTH|NOPERM/.test(messageOf(error))) seen.refused.push(messageOf(error));
            else seen.unreachable += 1;
          });
      }
    })();
    return async () => {
      over = true;
      await done;
      return seen;
    };
  }

  const total = { logins: 0, unreachable: 0 };
  /** No login of a service, nor of the client behind Sentinel, is refused meanwhile. */
  async function underLoad<T>(act: () => Promise<T>): Promise<T> {
    const load = await startLoad(bench.lab, { loginsPerSecond: 20 });
    const client = following();
    const result = await act();
    const [{ logins }, seen] = [await load.stop({ logins: 60 }), await client()];
    expect(logins.failures).toEqual([]);
    expect(seen.refused).toEqual([]);
    total.logins += logins.tried + seen.logins;
    total.unreachable += seen.unreachable;
    return result;
  }

  const expectPasswords = async (...passwords: string[]) => {
    for (const node of redis().nodes) {
      const user = parseUser(await node.ask<unknown>("ACL", "GETUSER", redis().user));
      expect(user?.passwords.toSorted(), node.address).toEqual(passwords.map(passwordHash).toSorted());
    }
  };
  /** A server that has ended is known to be down by all Sentinels, and another one is the primary. */
  const failedOver = (from: RedisNode) =>
    poll(async () => (await primary()).port !== from.port, { what: "another primary", limitMs: 60_000 });

  /** The rights of the pipeline's user as docs/redis.md makes it, without what the page says to leave out. */
  async function rules() {
    const page = await readFile(join(projectRoot(), "docs/redis.md"), "utf8");
    const [, found = ""] = /ACL SETUSER rotation on #SHA256 (.*)/.exec(page) ?? [];
    const later = title.startsWith("Redis 6") ? ["+acl|dryrun", "resetchannels"] : [];
    return found.split(" ").filter((rule) => !later.includes(rule));
  }

  it("takes the pipeline's user as docs/redis.md makes it, and the preflight says what the server is", async () => {
    for (const node of redis().nodes) await node.ask("ACL", "SETUSER", redis().admin, ...(await rules()));
    expect(await fine(bench, ["preflight", SECRET])).toContain(title.split(" of ")[0]);
  });

  it("a right that the pipeline's user lacks is named, and the command of the message gives it", async () => {
    for (const right of ["acl|getuser", "config|get"]) {
      const [node] = redis().nodes;
      const without = (await rules()).filter((rule) => rule !== `+${right}`);
      await node.ask("ACL", "SETUSER", redis().admin, ...without);
      const { exitCode, stdout, stderr } = await rotation(bench, ["preflight", SECRET]);
      expect(exitCode).toBe(1);
      const [, command = ""] = /`(ACL SETUSER [^`]+)`/.exec(unwrapped(stdout + stderr)) ?? [];
      expect(command).toBe(`ACL SETUSER ${redis().admin} +${right}`);
      await node.ask(...command.split(" "));
      await fine(bench, ["preflight", SECRET]);
    }
  });

  let first = "";
  it("is adopted, and rotated while Sentinel makes another server the primary: no login is refused", async () => {
    const adopted = redis().password;
    await underLoad(() => up(bench));
    first = await current();
    await expectPasswords(adopted, first);

    await setDay(bench, 89);
    const before = await primary();
    let moved: Promise<unknown> | undefined;
    await underLoad(async () => {
      const result = await bench.stack.pulumi(["up", "--yes", "--skip-preview"], {
        onOutput: (text) => {
          if (moved !== undefined || !/verify-login/.test(text)) return;
          moved = asked(watching[0]?.address ?? "", (ask) => ask("SENTINEL", "FAILOVER", "orders"));
        },
      });
      expect(moved, "the primary changed while the rotation ran").toBeDefined();
      await moved;
      await failedOver(before);
      expect(result.exitCode, result.stdout + result.stderr).toBe(0);
    });
    await expectPasswords(first, await current());
  });

  it("a server that ends in the middle stops the rotation by its name; back again, it has what it lacked", async () => {
    const [, victim] = redis().nodes;
    if (victim === undefined) throw new Error("there is one server only");
    await bench.stack.configure("request", { id: "again", secret: SECRET, rotate: true, reason: "a test" });
    const kept = await current();
    await victim.stop();
    const said = await refusedUp(bench);
    expect(said).toContain(victim.address);
    expect(said).toContain("nothing was changed");
    expect(await current()).toBe(kept);
    await victim.restart();
    await underLoad(() => up(bench));
    expect(await current()).not.toBe(kept);
    await expectPasswords(kept, await current());
  });

  it("the primary is killed for good before it is rolled back: the next primary knows both passwords", async () => {
    const { slots, active } = (await stateOf(bench, SECRET)) ?? { slots: [], active: 0 };
    const back = slots.find((_, slot) => slot !== active);
    const left = await current();
    // The services log in to the first server, so another one is the primary that ends.
    if ((await primary()).port === redis().nodes[0].port) {
      await asked(watching[0]?.address ?? "", (ask) => ask("SENTINEL", "FAILOVER", "orders"));
      await failedOver(redis().nodes[0]);
    }
    const ended = await primary();
    await underLoad(async () => {
      await ended.stop();
      await failedOver(ended);
      await ended.restart();
      await bench.stack.configure("request", { id: "back", secret: SECRET, activate: back, reason: "a test" });
      await up(bench);
    });
    expect(await stateOf(bench, SECRET)).toMatchObject({ slots, active: 1 - Number(active) });
    await expectPasswords(await current(), left);
  });

  it("ends the previous password when the grace period is over", async () => {
    await setDay(bench, 93);
    await underLoad(() => up(bench));
    await expectPasswords(await current());
    expect((await auditRows(bench)).map(({ action }) => action)).toEqual([
      "ADOPT",
      "ROTATE",
      "ROTATE",
      "ROLLBACK",
      "REVOKE",
    ]);
    console.log(`${title}: ${total.logins} logins, 0 refused; ${total.unreachable} found no primary`);
  });
});

/** The server of a package of another Debian. */
async function of(suite: string, name: string): Promise<readonly string[]> {
  return programIn(await unpacked(suite, [name]), join("/usr/bin", name));
}

type Ask = <T>(...command: string[]) => Promise<T>;

/** One connection to a server or to a Sentinel. */
async function at<T>(
  { host, port }: { readonly host: string; readonly port: number },
  login: object,
  use: (ask: Ask) => Promise<T>,
): Promise<T> {
  const socket = { host, port, reconnectStrategy: false, connectTimeout: 2000 } as const;
  const client = createClient({ ...login, RESP: 2, disableClientInfo: true, maintNotifications: "disabled", socket });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return await use(async <A>(...command: string[]) => (await client.sendCommand(command)) as A);
  } finally {
    client.destroy();
  }
}

const asked = <T>(address: string, use: (ask: Ask) => Promise<T>) =>
  at({ host: "127.0.0.1", port: Number(address.split(":")[1]) }, {}, use);
