import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { poll } from "../../../clients/poll";
import { tryLogin, withDatabase } from "../../../clients/postgres";
import { identifier } from "../../../core/login-view";
import { PIPELINE } from "../../../dev/lab/pipeline-login";
import { deploySql } from "../../../dev/lab/policies";
import type { Postgres } from "../../../dev/lab/postgres";
import { checkLoginRole } from "../../../kinds/postgres-password/preflight/login-role";
import { logsPassword, setPassword } from "../../../kinds/postgres-password/set-password";
import { PASSWORD, referenceOf, startServer, VERSIONS } from "./servers";

const SALT = Buffer.alloc(16, 7).toString("base64");
const DAY = 86_400_000;

describe.each(VERSIONS)("PostgreSQL $version", ({ version, home, missing }) => {
  let server: Postgres;
  let stop: (() => Promise<void>) | undefined;
  const owner = "trader";

  beforeAll(async () => {
    if (missing) return;
    ({ server, stop } = await startServer(home, { log_statement: "none" }));
    await server.query(`CREATE ROLE ${owner} LOGIN PASSWORD '${PASSWORD}'`);
    await server.query(deploySql("managed-role", { pipeline: PIPELINE, role: owner, database: "trader" }));
  });
  afterAll(async () => {
    delete process.env.PGPASSWORD;
    await stop?.();
  });

  const logins = (passwordAs?: "plain") => ({
    ...{ owner, from: owner, to: owner, ours: [], adopting: false, maxAge: 90 * DAY },
    ...(passwordAs === undefined ? {} : { passwordAs }),
  });
  const check = (passwordAs?: "plain") =>
    checkLoginRole(referenceOf(server, "pipeline"), logins(passwordAs), "rotation");
  const refusal = (passwordAs?: "plain") =>
    check(passwordAs).then(
      () => "nothing was refused",
      (error: Error) => error.message,
    );

  /** A server whose settings look like this to the pipeline's login; its extension need not be there. */
  const looking = async <T>(name: string, value: string, look: () => Promise<T>): Promise<T> => {
    await server.query(`ALTER ROLE ${PIPELINE} SET "${name}" = '${value}'`);
    try {
      return await look();
    } finally {
      await server.query(`ALTER ROLE ${PIPELINE} RESET "${name}"`);
    }
  };

  describe("the preflight", () => {
    it.skipIf(missing)("lets a plain server pass without a word", async () => {
      expect((await check()).warnings).toEqual([]);
    });

    it.skipIf(missing)("names each server that takes no verifier, with the way out", async () => {
      const credcheck = await looking("credcheck.encrypted_password_allowed", "off", refusal);
      expect(credcheck).toContain("credcheck refuses a password that is hashed already");
      expect(credcheck).toContain("ALTER SYSTEM SET credcheck.encrypted_password_allowed = on");
      expect(credcheck).toContain("passwordAs: plain");
      expect(await looking("credcheck.encrypted_password_allowed", "on", refusal)).toBe("nothing was refused");
      expect(await looking("azure.accepted_password_auth_method", "md5", refusal)).toContain(
        "add SCRAM-SHA-256 to that",
      );
      const both = await looking("azure.accepted_password_auth_method", "md5,scram-sha-256", refusal);
      expect(both).toBe("nothing was refused");
    });

    it.skipIf(missing)(
      "asks for rds_password where only its members may change a password, in either form",
      async () => {
        const name = "rds.restrict_password_commands";
        for (const as of [undefined, "plain"] as const)
          expect(await looking(name, "on", () => refusal(as))).toContain(
            `GRANT rds_password TO ${identifier(PIPELINE)}`,
          );
        expect(await looking(name, "off", refusal)).toBe("nothing was refused");
        await server.query(`CREATE ROLE rds_password; GRANT rds_password TO ${PIPELINE}`);
        expect(await looking(name, "on", refusal)).toBe("nothing was refused");
        await server.query("DROP ROLE rds_password");
      },
    );
  });

  describe("a plain password", () => {
    const LOUD = { log_statement: "all", log_min_duration_statement: "0" };
    const loudly = async <T>(look: () => Promise<T>): Promise<T> => {
      await configure(LOUD);
      try {
        return await look();
      } finally {
        await configure({ log_statement: "none", log_min_duration_statement: "-1" });
      }
    };
    const configure = async (settings: Readonly<Record<string, string>>) => {
      for (const [name, value] of Object.entries(settings)) await server.query(`ALTER SYSTEM SET ${name} = '${value}'`);
      await server.query("SELECT pg_reload_conf()");
      const shown = async () => (await server.query("SELECT current_setting('log_statement') AS value")).rows[0]?.value;
      expect(await poll(shown, (value) => value === settings.log_statement, { limit: 20_000, every: 50 })).toBe(
        settings.log_statement,
      );
    };
    const give = (password: string, as: "pipeline" | "superuser", role = owner) =>
      withDatabase(referenceOf(server, as), (client) =>
        setPassword(client, { role, password, salt: SALT, as: "plain" }),
      );
    const log = () => readFile(server.logFile, "utf8");

    it.skipIf(missing)("is set, whatever is in it, and logs in", async () => {
      for (const password of ["p'a\\ss\"%w$do$rd", "ü €", "plain-1"]) {
        await give(password, "pipeline");
        const { outcome } = await tryLogin(referenceOf(server, "pipeline"), { username: owner, password });
        expect(outcome).toBe("works");
      }
    });

    it.skipIf(missing)("is not in the log of a server that logs everything, nor after an error", async () => {
      await loudly(async () => {
        await give("loud-secret-1", "superuser");
        await expect(give("loud-secret-2", "superuser", "no_such_role")).rejects.toThrow(/no_such_role/);
        const { outcome } = await tryLogin(referenceOf(server, "pipeline"), {
          username: owner,
          password: "loud-secret-1",
        });
        expect(outcome).toBe("works");
      });
      // The rest is in the log: otherwise nothing would be shown by this.
      expect(await log()).toContain("set_config($1, $2, true)");
      expect(await log()).not.toContain("loud-secret");
    });

    it.skipIf(missing)("is refused before, if it would be logged and the login may not turn that off", async () => {
      await loudly(async () => {
        const said = await refusal("plain");
        expect(said).toContain("the server would log the password (");
        expect(said).toContain("log_statement = all");
        expect(said).toContain(`GRANT SET ON PARAMETER log_statement TO ${identifier(PIPELINE)}`);
        if (version < 15) return;
        for (const name of Object.keys(LOUD)) await server.query(`GRANT SET ON PARAMETER ${name} TO ${PIPELINE}`);
        expect(await refusal("plain")).toBe("nothing was refused");
        expect(await withDatabase(referenceOf(server, "pipeline"), logsPassword)).toEqual([]);
        await give("loud-secret-3", "pipeline");
      });
      expect(await log()).not.toContain("loud-secret");
    });
  });
});
