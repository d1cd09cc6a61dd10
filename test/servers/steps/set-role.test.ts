import { readFile, writeFile } from "node:fs/promises";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { useLoginRoles } from "./login-roles";
import { PASSWORD, referenceOf, session, VERSIONS } from "./servers";

const SALT = Buffer.alloc(16, 7).toString("base64");

describe.each(VERSIONS)("PostgreSQL $version: login roles", (postgres) => {
  const { missing } = postgres;
  const { server, owner, a, b, makeLogins, copy, configOf } = useLoginRoles(postgres);

  describe("set-role", () => {
    const run = async (input: object) => {
      const reference = referenceOf(server(), "pipeline");
      const { stdout, stderr, exitCode } = await execa("node", ["dist/steps/set-role.mjs"], {
        input: JSON.stringify({ database: reference, role: owner(), ...input }),
        reject: false,
      });
      return exitCode === 0 ? JSON.parse(stdout).changed : stderr;
    };

    it.skipIf(missing)("changes login and password and nothing else, and only what is not so already", async () => {
      await server().query(
        `GRANT readers TO ${owner()}; ALTER ROLE ${owner()} SET statement_timeout = '29s'; ALTER ROLE ${owner()} SET search_path = app, public`,
      );
      const all =
        "SELECT r.*, (SELECT array_agg(m) FROM pg_auth_members m WHERE member = r.oid) AS members FROM pg_roles r WHERE rolname = $1";
      const [before] = (await server().query(all, [owner()])).rows;
      const secret = async () =>
        (await server().query("SELECT rolpassword AS p FROM pg_authid WHERE rolname = $1", [owner()])).rows[0].p;
      const first = await secret();
      expect(await run({ login: true, password: PASSWORD, salt: SALT })).toEqual([]);
      expect(await secret()).toBe(first);
      expect(await run({ login: true, password: "another one", salt: SALT })).toEqual(["PASSWORD"]);
      expect(await secret()).toMatch(`SCRAM-SHA-256$4096:${SALT}$`);
      expect(await run({ login: true, password: "another one", salt: SALT })).toEqual([]);
      expect(await run({ login: false })).toEqual(["NOLOGIN"]);
      expect(await run({ login: false })).toEqual([]);
      expect(await run({ login: true, password: "another one", salt: SALT })).toEqual(["LOGIN", "PASSWORD"]);
      expect((await server().query(all, [owner()])).rows).toEqual([before]);
    });

    it.skipIf(missing)("sets the password also if pg_hba.conf admits everybody without asking", async () => {
      const file = String((await server().query("SHOW hba_file")).rows[0].hba_file);
      const before = await readFile(file, "utf8");
      await writeFile(file, `host trader ${owner()} 127.0.0.1/32 trust\n${before}`);
      await server().query("SELECT pg_reload_conf()");
      try {
        const trusted = async () =>
          (await run({ login: true, password: "another one", salt: SALT })).includes("PASSWORD");
        await expect.poll(trusted, { timeout: 30_000 }).toBe(true);
      } finally {
        await writeFile(file, before);
        await server().query("SELECT pg_reload_conf()");
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
      await copy(owner(), b());
      await server().query(`ALTER ROLE ${b()} LOGIN PASSWORD '${PASSWORD}'`);
      await session(server(), b(), async (client) => {
        const actingAfter = async (sql: string) => {
          await client.query(sql);
          return (await client.query("SELECT current_user AS name")).rows[0].name;
        };
        for (const sql of ["SELECT 1", "DISCARD ALL", "RESET ROLE", "RESET ALL"])
          expect(await actingAfter(sql), sql).toBe(owner());
        expect(await actingAfter("SET ROLE NONE")).toBe(b());
      });
    },
  );

  it.skipIf(missing)(
    "keeps what others wrote into the comment of a login role, and forgets nothing without a state",
    async () => {
      await makeLogins();
      await server().query(`COMMENT ON ROLE ${b()} IS 'desk 7, ask Ann'; ALTER ROLE ${owner()} SET work_mem = '5MB'`);
      await copy(owner(), b());
      await server().query(
        `ALTER ROLE ${owner()} RESET work_mem; ALTER ROLE ${owner()} SET lock_timeout = '1s'; ALTER ROLE ${b()} SET timezone = 'Asia/Tokyo'`,
      );
      expect(await copy(b(), a())).toEqual(["set TimeZone", "set lock_timeout"]);
      expect(await configOf(a())).toEqual([`role=${owner()}`, "TimeZone=Asia/Tokyo", "lock_timeout=1s"]);
      const { rows } = await server().query(`SELECT shobj_description('${b()}'::regrole, 'pg_authid') AS says`);
      expect(rows[0].says).toMatch(/^desk 7, ask Ann\n/);
    },
  );
});
