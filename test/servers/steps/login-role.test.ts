import { readFile, writeFile } from "node:fs/promises";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { withDatabase } from "../../../clients/postgres";
import { PIPELINE } from "../../../dev/lab/pipeline-login";
import { deploySql } from "../../../dev/lab/policies";
import type { Postgres } from "../../../dev/lab/postgres";
import { copyRole } from "../../../kinds/postgres-password/login-copy";
import type { Logins } from "../../../kinds/postgres-password/preflight/asked";
import { checkLoginRole } from "../../../kinds/postgres-password/preflight/login-role";
import { PASSWORD, referenceOf, session, startServer, VERSIONS } from "./servers";

const DAY = 86_400_000;
const SALT = Buffer.alloc(16, 7).toString("base64");

describe.each(VERSIONS)("PostgreSQL $version", ({ version, home, missing }) => {
  let server: Postgres;
  let stop: (() => Promise<void>) | undefined;
  let count = 0;
  let owner = "";

  beforeAll(async () => {
    if (missing) return;
    ({ server, stop } = await startServer(home));
    await server.query("CREATE ROLE readers");
  });
  afterAll(async () => {
    delete process.env.PGPASSWORD;
    await stop?.();
  });
  beforeEach(async () => {
    if (missing) return;
    count += 1;
    owner = `trader${count}`;
    await server.query(`CREATE ROLE ${owner} LOGIN PASSWORD '${PASSWORD}'`);
    await server.query(deploySql("managed-role", { pipeline: PIPELINE, role: owner, database: "trader" }));
  });

  const [a, b] = [() => `${owner}_a`, () => `${owner}_b`];

  /** The two login roles, as the plugin makes them for the pipeline. */
  const makeLogins = () =>
    withDatabase(referenceOf(server, "pipeline"), async (client) => {
      for (const role of [a(), b()]) {
        await client.query(
          `CREATE ROLE ${role} NOLOGIN; GRANT ${owner} TO ${role}; ALTER ROLE ${role} SET role TO '${owner}'`,
        );
      }
    });

  const adoption = (): Logins => ({
    owner,
    from: owner,
    to: b(),
    ours: [a(), b()],
    adopting: true,
    maxAge: 90 * DAY,
  });
  const rotation = (): Logins => ({ ...adoption(), from: b(), to: a(), adopting: false });
  const single = (): Logins => ({ ...adoption(), to: owner, ours: [], adopting: false });

  const check = (
    logins: Logins,
    as: "superuser" | "pipeline" = "pipeline",
    mode: "rotation" | "emergency" = "rotation",
  ) => checkLoginRole(referenceOf(server, as), logins, mode);
  const refusal = (logins: Logins, as?: "superuser" | "pipeline") =>
    check(logins, as).then(
      () => "nothing was refused",
      (error: Error) => error.message,
    );
  const warnings = async (...args: Parameters<typeof check>) => (await check(...args)).warnings;
  const copy = (from: string, to: string, as: "superuser" | "pipeline" = "pipeline") =>
    withDatabase(referenceOf(server, as), (client) => copyRole(client, { owner, from, to }));
  const configOf = async (role: string) =>
    (await server.query("SELECT rolconfig FROM pg_roles WHERE rolname = $1", [role])).rows[0]?.rolconfig;

  describe("the preflight", () => {
    it.skipIf(missing)("lets a plain role pass without a word", async () => {
      expect(await check(adoption())).toEqual({ evidence: `${b()} will see what ${owner} sees`, warnings: [] });
      expect(await check(single())).toMatchObject({ warnings: [] });
      await makeLogins();
      await copy(owner, b());
      expect(await warnings(rotation())).toEqual([]);
    });

    it.skipIf(missing)("names a login role that is somebody else's, with the SQL, and takes one of ours", async () => {
      await server.query(`CREATE ROLE ${b()} LOGIN`);
      const says = await refusal(adoption());
      expect(says).toContain(`there is a role ${b()} already`);
      expect(says).toContain(`\`ALTER ROLE "${b()}" RENAME TO "${b()}_old"\``);
      await server.query(`ALTER ROLE ${b()} RENAME TO ${b()}_old`);
      expect(await warnings(adoption())).toEqual([]);
      await makeLogins();
      expect(await warnings(adoption())).toEqual([]);
    });

    it.skipIf(missing)("names one of ours that is gone, or is no member any more", async () => {
      await makeLogins();
      await copy(owner, b());
      await server.query(`REVOKE ${owner} FROM ${a()}${version < 16 ? "" : ` GRANTED BY ${PIPELINE}`}`);
      expect(await refusal(rotation())).toContain(`\`GRANT "${owner}" TO "${a()}"`);
      if (version >= 16) {
        await server.query(`GRANT ${owner} TO ${a()} WITH SET FALSE`);
        expect(await refusal(rotation())).toContain(`\`GRANT "${owner}" TO "${a()}"`);
        await server.query(`REVOKE ${owner} FROM ${a()}`);
      }
      await server.query(`DROP ROLE ${a()}`);
      expect(await refusal(rotation())).toContain(`\`CREATE ROLE "${a()}"; GRANT "${owner}" TO "${a()}"`);
    });

    it.skipIf(missing)("names a setting that the pipeline may not give, and carries it once it may", async () => {
      await server.query(`ALTER ROLE ${owner} SET log_statement = 'none'; ALTER ROLE ${owner} SET app.tenant = 'x'`);
      const says = await refusal(adoption());
      if (version >= 15) {
        expect(says).toContain(`\`GRANT SET ON PARAMETER log_statement TO "${PIPELINE}"\``);
        expect(says).toContain(`\`GRANT SET ON PARAMETER app.tenant TO "${PIPELINE}"\``);
        for (const [, sql = ""] of says.matchAll(/`(GRANT[^`]*)`/g)) await server.query(sql);
      }
      expect(await warnings(adoption())).toEqual([]);
      await makeLogins();
      await copy(owner, b());
      expect(await configOf(b())).toEqual(expect.arrayContaining(["log_statement=none", "app.tenant=x"]));
      await server.query(`REVOKE SET ON PARAMETER log_statement, app.tenant FROM ${PIPELINE}`);
    });

    it.skipIf(missing)("names what was changed on both sides, both values and the SQL of both ways", async () => {
      await makeLogins();
      await server.query(`ALTER ROLE ${owner} SET work_mem = '5MB'`);
      await copy(owner, b());
      await server.query(`ALTER ROLE ${owner} SET work_mem = '6MB'; ALTER ROLE ${b()} SET work_mem = '7MB'`);
      const says = await refusal(rotation());
      expect(says).toContain(`work_mem was changed on ${owner} (6MB) and on ${b()} (7MB)`);
      expect(says).toContain(`\`ALTER ROLE "${b()}" SET work_mem TO '6MB'\``);
      expect(says).toContain(`\`ALTER ROLE "${owner}" SET work_mem TO '7MB'\``);
      expect(await warnings(rotation(), "pipeline", "emergency")).toHaveLength(1);
      await server.query(`ALTER ROLE ${b()} SET work_mem TO '6MB'`);
      expect(await warnings(rotation())).toEqual([]);
    });

    it.skipIf(missing)(
      "names what asks for the login's own name: refuses policies and views, tells defaults and functions",
      async () => {
        const table = `of_${owner}`;
        await server.query(`
        CREATE TABLE ${table} (id int, made_by text DEFAULT session_user); ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON ${table} TO ${owner} USING (made_by = session_user)`);
        const says = await refusal(adoption());
        expect(says).toContain(`policy own on ${table}`);
        const sql = `ALTER POLICY own ON ${table} USING ((made_by = CURRENT_USER))`;
        expect(says).toContain(`\`${sql}\``);
        await server.query(sql);
        const told = await warnings(adoption());
        expect(told).toEqual([expect.stringContaining(`default made_by on ${table}`)]);
        await server.query(`
        ALTER TABLE ${table} ALTER made_by DROP DEFAULT;
        CREATE FUNCTION f_${owner}() RETURNS text LANGUAGE sql AS 'SELECT session_user::text';
        CREATE VIEW v_${owner} AS SELECT session_user AS me`);
        expect(await refusal(adoption())).toContain(`view v_${owner}`);
        await server.query(`DROP VIEW v_${owner}`);
        expect(await warnings(adoption())).toEqual([expect.stringContaining(`function f_${owner}()`)]);
        await server.query(`DROP FUNCTION f_${owner}; DROP TABLE ${table}`);
      },
    );

    it.skipIf(missing)("names a validity that ends before the next rotation, also of a single user", async () => {
      await server.query(`ALTER ROLE ${owner} VALID UNTIL '${new Date(Date.now() + 30 * DAY).toISOString()}'`);
      for (const logins of [adoption(), single()]) {
        expect(await refusal(logins)).toContain(`\`ALTER ROLE "${owner}" VALID UNTIL 'infinity'\``);
      }
      await server.query(`ALTER ROLE ${owner} VALID UNTIL '${new Date(Date.now() + 120 * DAY).toISOString()}'`);
      expect(await warnings(adoption())).toEqual([]);
    });

    it.skipIf(missing)("names a limit of connections that is used up", async () => {
      await server.query(`ALTER ROLE ${owner} CONNECTION LIMIT 1`);
      const busy = await session(server, owner, () => refusal(single()));
      expect(busy).toContain(`${owner} has 1 sessions and may have 1`);
    });

    it.skipIf(missing)("names a superuser that the pipeline may not change", async () => {
      await server.query(`ALTER ROLE ${owner} SUPERUSER`);
      expect(await refusal(single())).toContain(`\`ALTER ROLE "${owner}" NOSUPERUSER\``);
      expect(await warnings(single(), "superuser")).toEqual([]);
      expect(await warnings(adoption(), "superuser")).toEqual([expect.stringContaining("SET SESSION AUTHORIZATION")]);
    });

    it.skipIf(missing)("names a role that was granted to the login in use itself", async () => {
      await makeLogins();
      await copy(owner, b());
      await server.query(`GRANT readers TO ${b()}`);
      expect(await refusal(rotation())).toContain(`\`GRANT "readers" TO "${owner}"\``);
      await server.query(`GRANT readers TO ${a()}`);
      expect(await warnings(rotation())).toEqual([]);
    });

    it.skipIf(missing)("names a line of pg_hba.conf that lets the owner in alone, where it may read it", async () => {
      const { rows } = await server.query("SHOW hba_file");
      const file = String(rows[0].hba_file);
      const before = await readFile(file, "utf8");
      const line = (user: string) =>
        `host trader ${user} 127.0.0.1/32 scram-sha-256\nhost all postgres,${PIPELINE} 127.0.0.1/32 scram-sha-256\n`;
      await writeFile(file, line(owner));
      await server.query("SELECT pg_reload_conf()");
      const says = await refusal(adoption(), "superuser");
      expect(says).toContain(`pg_hba.conf lets ${owner} in by line 1 (host trader ${owner} 127.0.0.1), and ${b()} not`);
      expect(says).toContain(`write +${owner} for ${owner} there`);
      // The pipeline may not read it: the first login finds out, before the store is written.
      expect(await warnings(adoption())).toEqual([]);
      const may = ["EXECUTE ON FUNCTION pg_hba_file_rules()", "SELECT ON pg_hba_file_rules"];
      for (const one of may) await server.query(`GRANT ${one} TO ${PIPELINE}`);
      expect(await refusal(adoption())).toContain(`write +${owner} for ${owner} there`);
      for (const one of may) await server.query(`REVOKE ${one} FROM ${PIPELINE}`);
      await writeFile(file, line(`+${owner}`));
      await server.query("SELECT pg_reload_conf()");
      expect(await warnings(adoption(), "superuser")).toEqual([]);
      await writeFile(file, before);
      await server.query("SELECT pg_reload_conf()");
    });

    it.skipIf(missing)("says that an md5 password becomes SCRAM-SHA-256, and who cannot log in then", async () => {
      await server.query(`SET password_encryption = 'md5'; ALTER ROLE ${owner} PASSWORD '${PASSWORD}'`);
      expect(await warnings(single(), "superuser")).toEqual([
        expect.stringMatching(/md5 password; .*SCRAM-SHA-256.*JDBC/),
      ]);
      await server.query("ALTER SYSTEM SET password_encryption = 'md5'");
      await server.query("SELECT pg_reload_conf()");
      await expect.poll(() => warnings(adoption())).toEqual([expect.stringContaining("SCRAM-SHA-256")]);
      await server.query("ALTER SYSTEM RESET password_encryption");
      await server.query("SELECT pg_reload_conf()");
    });
  });

  describe("set-role", () => {
    const run = async (input: object) => {
      const reference = referenceOf(server, "pipeline");
      const { stdout, stderr, exitCode } = await execa("node", ["dist/steps/set-role.mjs"], {
        input: JSON.stringify({ database: reference, role: owner, ...input }),
        reject: false,
      });
      return exitCode === 0 ? JSON.parse(stdout).changed : stderr;
    };

    it.skipIf(missing)("changes login and password and nothing else, and only what is not so already", async () => {
      await server.query(
        `GRANT readers TO ${owner}; ALTER ROLE ${owner} SET statement_timeout = '29s'; ALTER ROLE ${owner} SET search_path = app, public`,
      );
      const all =
        "SELECT r.*, (SELECT array_agg(m) FROM pg_auth_members m WHERE member = r.oid) AS members FROM pg_roles r WHERE rolname = $1";
      const [before] = (await server.query(all, [owner])).rows;
      const secret = async () =>
        (await server.query("SELECT rolpassword AS p FROM pg_authid WHERE rolname = $1", [owner])).rows[0].p;
      const first = await secret();
      expect(await run({ login: true, password: PASSWORD, salt: SALT })).toEqual([]);
      expect(await secret()).toBe(first);
      expect(await run({ login: true, password: "another one", salt: SALT })).toEqual(["PASSWORD"]);
      expect(await secret()).toMatch(`SCRAM-SHA-256$4096:${SALT}$`);
      expect(await run({ login: true, password: "another one", salt: SALT })).toEqual([]);
      expect(await run({ login: false })).toEqual(["NOLOGIN"]);
      expect(await run({ login: false })).toEqual([]);
      expect(await run({ login: true, password: "another one", salt: SALT })).toEqual(["LOGIN", "PASSWORD"]);
      expect((await server.query(all, [owner])).rows).toEqual([before]);
    });

    it.skipIf(missing)("sets the password also where pg_hba.conf lets everybody in without asking", async () => {
      const file = String((await server.query("SHOW hba_file")).rows[0].hba_file);
      const before = await readFile(file, "utf8");
      await writeFile(file, `host trader ${owner} 127.0.0.1/32 trust\n${before}`);
      await server.query("SELECT pg_reload_conf()");
      try {
        const trusted = async () =>
          (await run({ login: true, password: "another one", salt: SALT })).includes("PASSWORD");
        await expect.poll(trusted, { timeout: 30_000 }).toBe(true);
      } finally {
        await writeFile(file, before);
        await server.query("SELECT pg_reload_conf()");
      }
    });

    it.skipIf(missing)("says which role is not there, and no password", async () => {
      const says = await run({ role: "nobody", login: true, password: "very-secret-one", salt: SALT });
      expect(says).toBe("the role nobody does not exist");
    });
  });

  it.skipIf(missing)(
    "acts as the owner through a pooler's DISCARD ALL and RESET ROLE, and not after SET ROLE NONE",
    async () => {
      await makeLogins();
      await copy(owner, b());
      await server.query(`ALTER ROLE ${b()} LOGIN PASSWORD '${PASSWORD}'`);
      await session(server, b(), async (client) => {
        const actingAfter = async (sql: string) => {
          await client.query(sql);
          return (await client.query("SELECT current_user AS name")).rows[0].name;
        };
        for (const sql of ["SELECT 1", "DISCARD ALL", "RESET ROLE", "RESET ALL"])
          expect(await actingAfter(sql), sql).toBe(owner);
        expect(await actingAfter("SET ROLE NONE")).toBe(b());
      });
    },
  );

  it.skipIf(missing)(
    "keeps what others wrote into the comment of a login role, and forgets nothing without a state",
    async () => {
      await makeLogins();
      await server.query(`COMMENT ON ROLE ${b()} IS 'desk 7, ask Ann'; ALTER ROLE ${owner} SET work_mem = '5MB'`);
      await copy(owner, b());
      await server.query(
        `ALTER ROLE ${owner} RESET work_mem; ALTER ROLE ${owner} SET lock_timeout = '1s'; ALTER ROLE ${b()} SET timezone = 'Asia/Tokyo'`,
      );
      expect(await copy(b(), a())).toEqual(["set TimeZone", "set lock_timeout"]);
      expect(await configOf(a())).toEqual([`role=${owner}`, "TimeZone=Asia/Tokyo", "lock_timeout=1s"]);
      const { rows } = await server.query(`SELECT shobj_description('${b()}'::regrole, 'pg_authid') AS says`);
      expect(rows[0].says).toMatch(/^desk 7, ask Ann\n/);
    },
  );
});
