import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { rotation } from "./cli-support";
import { asEarlierVersion } from "./earlier-version";
import { auditRows, type Bench, refusedUp, setDay, setRequest, stored, UNCHANGED, up, useBench } from "./harness";

/** What a session of a login sees of its role's settings. */
async function seen({ lab }: Bench, user: string, password: string): Promise<Record<string, string>> {
  const { rows } = await lab.postgres.session(
    (client) =>
      client.query(
        `SELECT name, setting FROM pg_settings WHERE name NOT IN ('role', 'session_authorization')
       UNION ALL SELECT 'current_user', current_user
       UNION ALL SELECT 'member of ' || rolname, pg_has_role(oid, 'USAGE')::text || pg_has_role(oid, 'USAGE WITH ADMIN OPTION')
         FROM pg_roles WHERE rolname !~ '_[ab]$'`,
      ),
    { user, password },
  );
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
}

/** All that the server keeps of roles. */
const catalog = async ({ lab }: Bench) =>
  Promise.all(
    ["pg_authid", "pg_auth_members", "pg_db_role_setting", "pg_shdescription"].map(
      async (table) => (await lab.postgres.query(`SELECT t::text FROM ${table} t ORDER BY 1`)).rows,
    ),
  );

describe("what a login sees, through a life with alternating users", () => {
  const bench = useBench();
  const inUse = async () => {
    const username = await stored(bench(), "database/username");
    const password = await stored(bench(), "database/password");
    return { name: username.value, sees: await seen(bench(), username.value, password.value) };
  };
  const sql = (text: string) => bench().lab.postgres.query(text);

  it("is refused before any change, with the SQL, if a login role of our name belongs to another", async () => {
    await sql(`
      CREATE SCHEMA app; GRANT USAGE ON SCHEMA app TO trader;
      ALTER TABLE positions SET SCHEMA app; ALTER TABLE orders SET SCHEMA app;
      ALTER ROLE trader SET search_path = app, public; ALTER ROLE trader SET statement_timeout = '30s';
      ALTER ROLE trader SET idle_in_transaction_session_timeout = '60s'; ALTER ROLE trader SET timezone = 'America/New_York';
      ALTER ROLE trader SET default_transaction_isolation = 'serializable';
      ALTER ROLE trader IN DATABASE trader SET work_mem = '7MB'; ALTER ROLE trader CONNECTION LIMIT 61;
      CREATE ROLE readers; GRANT readers TO trader; CREATE ROLE trader_b LOGIN`);
    await sql("ALTER SYSTEM SET password_encryption = 'md5'");
    await sql("SELECT pg_reload_conf()");
    const before = await catalog(bench());
    const rename = 'ALTER ROLE "trader_b" RENAME TO "trader_b_old"';
    expect(await refusedUp(bench())).toContain(rename);
    const { exitCode, stdout } = await rotation(bench(), ["preflight", "--json"]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain("there is a role trader_b already");
    expect(await catalog(bench())).toEqual(before);
    await sql(rename);
  });

  it("is what the adopted role saw, and the audit row says that md5 ends", async () => {
    const { lab } = bench();
    const adopted = await seen(bench(), "trader", String(lab.adopted["database/password"]));
    const owner = await catalogOf(bench(), "trader");
    await up(bench());
    const { name, sees } = await inUse();
    expect(name).toBe("trader_b");
    expect(sees).toEqual(adopted);
    expect(sees).toMatchObject({ statement_timeout: "30000", TimeZone: "America/New_York", work_mem: "7168" });
    expect(await catalogOf(bench(), "trader")).toEqual(owner);
    expect(await lab.health("signal-service")).toMatchObject({ status: "healthy", database: { user: "trader_b" } });
    const [row] = await auditRows(bench());
    expect(JSON.stringify(row?.outputs)).toContain("SCRAM-SHA-256");
    // The plugin reads a timeout as whole milliseconds alone.
    expect((await up(bench(), "--refresh")).stdout).toMatch(UNCHANGED);
  });

  it("stays as it is on the server if the stack comes from an earlier version", async () => {
    const before = await catalog(bench());
    const restarts = bench().lab.hosts.flatMap((host) => host.restarts).length;
    await asEarlierVersion(bench());
    const plan = await rotation(bench(), ["plan"]);
    expect(plan.exitCode, plan.stdout + plan.stderr).toBe(0);
    expect(plan.stdout).toContain("forgets trader (postgresql:index/role:Role); it stays as it is");
    const log = (await readFile(bench().lab.postgres.logFile, "utf8")).length;
    await up(bench());
    expect((await readFile(bench().lab.postgres.logFile, "utf8")).slice(log)).not.toMatch(
      /\b(ALTER|GRANT|REVOKE|COMMENT)\b/,
    );
    expect(await catalog(bench())).toEqual(before);
    expect(bench().lab.hosts.flatMap((host) => host.restarts)).toHaveLength(restarts);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
  });

  it("keeps what was set by hand on the login in use, and gets what the owner was given since", async () => {
    await sql(`
      ALTER ROLE trader_b SET lock_timeout = '3s'; CREATE ROLE writers; GRANT writers TO trader WITH ADMIN OPTION;
      ALTER ROLE trader SET search_path = app, trading, public; ALTER ROLE trader SET statement_timeout = '29s'`);
    const found = await rotation(bench(), ["diagnose", "--json"]);
    expect(found.stdout).toContain("search_path is app, trading, public for trader and app, public for trader_b");
    const owner = await catalogOf(bench(), "trader");
    await setDay(bench(), 89);
    await up(bench());
    const { name, sees } = await inUse();
    expect(name).toBe("trader_a");
    expect(sees).toMatchObject({
      lock_timeout: "3000",
      search_path: "app, trading, public",
      statement_timeout: "29000",
      "member of writers": "truetrue",
      current_user: "trader",
    });
    // Its login has ended, and nothing else of it.
    expect(await catalogOf(bench(), "trader")).toEqual({ ...owner, rolcanlogin: false });
    const clean = await rotation(bench(), ["diagnose", "--json"]);
    expect(JSON.parse(clean.stdout).findings).toEqual([]);
    expect((await up(bench(), "--refresh")).stdout).toMatch(UNCHANGED);
  });

  it("waits for a decision if both sides changed the same, and goes on after the SQL", async () => {
    await sql("ALTER ROLE trader SET lock_timeout = '4s'; ALTER ROLE trader_a SET lock_timeout = '5s'");
    await setRequest(bench(), { id: "now", rotate: true });
    const before = await catalog(bench());
    const says = await refusedUp(bench());
    expect(says).toContain("lock_timeout was changed on trader (4s) and on trader_a (5s)");
    expect(await catalog(bench())).toEqual(before);
    const [, command = ""] = /`(ALTER ROLE "trader_a" SET lock_timeout[^`]*)`/.exec(says.replace(/\s+/g, " ")) ?? [];
    await sql(command);
    // As a superuser, too, nothing of the owner is touched.
    const { adminUser, adminPassword } = bench().lab.postgres;
    const owner = await catalogOf(bench(), "trader");
    const env = { PGUSER: adminUser, PGPASSWORD: adminPassword };
    const { exitCode, stdout, stderr } = await bench().stack.pulumi(["up", "--yes", "--skip-preview"], { env });
    expect(exitCode, stdout + stderr).toBe(0);
    expect((await inUse()).sees).toMatchObject({ lock_timeout: "4000", "member of writers": "truetrue" });
    expect(await catalogOf(bench(), "trader")).toEqual(owner);
  });

  it("is what it was if a rollback returns to it", async () => {
    await sql("ALTER ROLE trader_b SET maintenance_work_mem = '9MB'");
    await setRequest(bench(), { id: "back", activate: 2 });
    await up(bench());
    const { name, sees } = await inUse();
    expect(name).toBe("trader_a");
    expect(sees).toMatchObject({
      maintenance_work_mem: "9216",
      lock_timeout: "4000",
      search_path: "app, trading, public",
    });
  });

  it("is proven before the store is written: pg_hba.conf, which the pipeline may not read, lets trader_a in alone", async () => {
    const file = String((await sql("SHOW hba_file")).rows[0].hba_file);
    const lets = async (roles: string) => {
      await writeFile(file, `host all postgres,rotation,${roles} 127.0.0.1/32 scram-sha-256\n`);
      await sql("SELECT pg_reload_conf()");
    };
    await lets("trader,trader_a");
    const before = await stored(bench(), "database/password");
    await setRequest(bench(), { id: "again", rotate: true });
    const says = (await refusedUp(bench())).replace(/\s+/g, " ");
    expect(says).toContain("Expected pg_hba.conf to let trader_b in wherever it lets trader in: write +trader");
    expect(await stored(bench(), "database/password")).toEqual(before);
    expect(await bench().lab.health("signal-service")).toMatchObject({ database: { user: "trader_a" } });
    await lets("+trader");
    await up(bench());
    expect((await inUse()).name).toBe("trader_b");
  });
});

/** A role with its memberships and settings, as the server keeps them. */
async function catalogOf({ lab }: Bench, role: string): Promise<Record<string, unknown>> {
  const { rows } = await lab.postgres.query(
    `SELECT r.*, (SELECT array_agg(m::text ORDER BY m) FROM pg_auth_members m WHERE member = r.oid) AS members,
            (SELECT array_agg(s::text ORDER BY s) FROM pg_db_role_setting s WHERE setrole = r.oid) AS settings
     FROM pg_roles r WHERE rolname = $1`,
    [role],
  );
  return rows[0] ?? {};
}
