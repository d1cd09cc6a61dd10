import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { PIPELINE } from "../../../dev/lab/pipeline-login";
import { useLoginRoles } from "./login-roles";
import { PASSWORD, session, VERSIONS } from "./servers";

const DAY = 86_400_000;

describe.each(VERSIONS)("PostgreSQL $version: the preflight of login roles", (postgres) => {
  const { version, missing } = postgres;
  const { server, owner, a, b, makeLogins, adoption, rotation, single, check, refusal, warnings, copy, configOf } =
    useLoginRoles(postgres);

  it.skipIf(missing)("lets a plain role pass without a word", async () => {
    expect(await check(adoption())).toEqual({ evidence: `${b()} will see what ${owner()} sees`, warnings: [] });
    expect(await check(single())).toMatchObject({ warnings: [] });
    await makeLogins();
    await copy(owner(), b());
    expect(await warnings(rotation())).toEqual([]);
  });

  it.skipIf(missing)("names a login role of another owner, with the SQL, and takes one of ours", async () => {
    await server().query(`CREATE ROLE ${b()} LOGIN`);
    const says = await refusal(adoption());
    expect(says).toContain(`there is a role ${b()} already`);
    expect(says).toContain(`\`ALTER ROLE "${b()}" RENAME TO "${b()}_old"\``);
    await server().query(`ALTER ROLE ${b()} RENAME TO ${b()}_old`);
    expect(await warnings(adoption())).toEqual([]);
    await makeLogins();
    expect(await warnings(adoption())).toEqual([]);
  });

  it.skipIf(missing)("names one of ours that is gone, or is no member any more", async () => {
    await makeLogins();
    await copy(owner(), b());
    await server().query(`REVOKE ${owner()} FROM ${a()}${version < 16 ? "" : ` GRANTED BY ${PIPELINE}`}`);
    expect(await refusal(rotation())).toContain(`\`GRANT "${owner()}" TO "${a()}"`);
    if (version >= 16) {
      await server().query(`GRANT ${owner()} TO ${a()} WITH SET FALSE`);
      expect(await refusal(rotation())).toContain(`\`GRANT "${owner()}" TO "${a()}"`);
      await server().query(`REVOKE ${owner()} FROM ${a()}`);
    }
    await server().query(`DROP ROLE ${a()}`);
    expect(await refusal(rotation())).toContain(`\`CREATE ROLE "${a()}"; GRANT "${owner()}" TO "${a()}"`);
  });

  it.skipIf(missing)("names a setting that the pipeline may not give, and carries it once it may", async () => {
    await server().query(
      `ALTER ROLE ${owner()} SET log_statement = 'none'; ALTER ROLE ${owner()} SET app.tenant = 'x'`,
    );
    const says = await refusal(adoption());
    if (version >= 15) {
      expect(says).toContain(`\`GRANT SET ON PARAMETER log_statement TO "${PIPELINE}"\``);
      expect(says).toContain(`\`GRANT SET ON PARAMETER app.tenant TO "${PIPELINE}"\``);
      for (const [, sql = ""] of says.matchAll(/`(GRANT[^`]*)`/g)) await server().query(sql);
    }
    expect(await warnings(adoption())).toEqual([]);
    await makeLogins();
    await copy(owner(), b());
    expect(await configOf(b())).toEqual(expect.arrayContaining(["log_statement=none", "app.tenant=x"]));
    await server().query(`REVOKE SET ON PARAMETER log_statement, app.tenant FROM ${PIPELINE}`);
  });

  it.skipIf(missing)("names what was changed on both sides, both values and the SQL of both ways", async () => {
    await makeLogins();
    await server().query(`ALTER ROLE ${owner()} SET work_mem = '5MB'`);
    await copy(owner(), b());
    await server().query(`ALTER ROLE ${owner()} SET work_mem = '6MB'; ALTER ROLE ${b()} SET work_mem = '7MB'`);
    const says = await refusal(rotation());
    expect(says).toContain(`work_mem was changed on ${owner()} (6MB) and on ${b()} (7MB)`);
    expect(says).toContain(`\`ALTER ROLE "${b()}" SET work_mem TO '6MB'\``);
    expect(says).toContain(`\`ALTER ROLE "${owner()}" SET work_mem TO '7MB'\``);
    expect(await warnings(rotation(), "pipeline", "emergency")).toHaveLength(1);
    await server().query(`ALTER ROLE ${b()} SET work_mem TO '6MB'`);
    expect(await warnings(rotation())).toEqual([]);
  });

  it.skipIf(missing)(
    "names what asks for the login's own name: refuses policies and views, tells defaults and functions",
    async () => {
      const table = `of_${owner()}`;
      await server().query(`
        CREATE TABLE ${table} (id int, made_by text DEFAULT session_user); ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON ${table} TO ${owner()} USING (made_by = session_user)`);
      const says = await refusal(adoption());
      expect(says).toContain(`policy own on ${table}`);
      const sql = `ALTER POLICY own ON ${table} USING ((made_by = CURRENT_USER))`;
      expect(says).toContain(`\`${sql}\``);
      await server().query(sql);
      const told = await warnings(adoption());
      expect(told).toEqual([expect.stringContaining(`default made_by on ${table}`)]);
      await server().query(`
        ALTER TABLE ${table} ALTER made_by DROP DEFAULT;
        CREATE FUNCTION f_${owner()}() RETURNS text LANGUAGE sql AS 'SELECT session_user::text';
        CREATE VIEW v_${owner()} AS SELECT session_user AS me`);
      expect(await refusal(adoption())).toContain(`view v_${owner()}`);
      await server().query(`DROP VIEW v_${owner()}`);
      expect(await warnings(adoption())).toEqual([expect.stringContaining(`function f_${owner()}()`)]);
      await server().query(`DROP FUNCTION f_${owner()}; DROP TABLE ${table}`);
    },
  );

  it.skipIf(missing)("names a validity that ends before the next rotation, also of a single user", async () => {
    await server().query(`ALTER ROLE ${owner()} VALID UNTIL '${new Date(Date.now() + 30 * DAY).toISOString()}'`);
    for (const logins of [adoption(), single()]) {
      expect(await refusal(logins)).toContain(`\`ALTER ROLE "${owner()}" VALID UNTIL 'infinity'\``);
    }
    await server().query(`ALTER ROLE ${owner()} VALID UNTIL '${new Date(Date.now() + 120 * DAY).toISOString()}'`);
    expect(await warnings(adoption())).toEqual([]);
  });

  it.skipIf(missing)("names a limit of connections that is used up", async () => {
    await server().query(`ALTER ROLE ${owner()} CONNECTION LIMIT 1`);
    const busy = await session(server(), owner(), () => refusal(single()));
    expect(busy).toContain(`${owner()} has 1 sessions and may have 1`);
  });

  it.skipIf(missing)("names a superuser that the pipeline may not change", async () => {
    await server().query(`ALTER ROLE ${owner()} SUPERUSER`);
    expect(await refusal(single())).toContain(`\`ALTER ROLE "${owner()}" NOSUPERUSER\``);
    expect(await warnings(single(), "superuser")).toEqual([]);
    expect(await warnings(adoption(), "superuser")).toEqual([expect.stringContaining("SET SESSION AUTHORIZATION")]);
  });

  it.skipIf(missing)("names a role that was granted to the login in use itself", async () => {
    await makeLogins();
    await copy(owner(), b());
    await server().query(`GRANT readers TO ${b()}`);
    expect(await refusal(rotation())).toContain(`\`GRANT "readers" TO "${owner()}"\``);
    await server().query(`GRANT readers TO ${a()}`);
    expect(await warnings(rotation())).toEqual([]);
  });

  it.skipIf(missing)("names a line of pg_hba.conf that admits the owner alone, if it may read it", async () => {
    const { rows } = await server().query("SHOW hba_file");
    const file = String(rows[0].hba_file);
    const before = await readFile(file, "utf8");
    const line = (user: string) =>
      `host trader ${user} 127.0.0.1/32 scram-sha-256\nhost all postgres,${PIPELINE} 127.0.0.1/32 scram-sha-256\n`;
    await writeFile(file, line(owner()));
    await server().query("SELECT pg_reload_conf()");
    const says = await refusal(adoption(), "superuser");
    expect(says).toContain(
      `pg_hba.conf lets ${owner()} in by line 1 (host trader ${owner()} 127.0.0.1), and ${b()} not`,
    );
    expect(says).toContain(`write +${owner()} for ${owner()} there`);
    // The pipeline may not read it: the first login finds out, before the store is written.
    expect(await warnings(adoption())).toEqual([]);
    const may = ["EXECUTE ON FUNCTION pg_hba_file_rules()", "SELECT ON pg_hba_file_rules"];
    for (const one of may) await server().query(`GRANT ${one} TO ${PIPELINE}`);
    expect(await refusal(adoption())).toContain(`write +${owner()} for ${owner()} there`);
    for (const one of may) await server().query(`REVOKE ${one} FROM ${PIPELINE}`);
    await writeFile(file, line(`+${owner()}`));
    await server().query("SELECT pg_reload_conf()");
    expect(await warnings(adoption(), "superuser")).toEqual([]);
    await writeFile(file, before);
    await server().query("SELECT pg_reload_conf()");
  });

  it.skipIf(missing)("says that an md5 password becomes SCRAM-SHA-256, and who cannot log in then", async () => {
    await server().query(`SET password_encryption = 'md5'; ALTER ROLE ${owner()} PASSWORD '${PASSWORD}'`);
    expect(await warnings(single(), "superuser")).toEqual([
      expect.stringMatching(/md5 password; .*SCRAM-SHA-256.*JDBC/),
    ]);
    await server().query("ALTER SYSTEM SET password_encryption = 'md5'");
    await server().query("SELECT pg_reload_conf()");
    await expect.poll(() => warnings(adoption())).toEqual([expect.stringContaining("SCRAM-SHA-256")]);
    await server().query("ALTER SYSTEM RESET password_encryption");
    await server().query("SELECT pg_reload_conf()");
  });
});
