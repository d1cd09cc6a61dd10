import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { withDatabase } from "../../../clients/postgres";
import { PIPELINE } from "../../../dev/lab/pipeline-login";
import { checkDatabase } from "../../../kinds/postgres-password/preflight/database";
import { advised } from "../../advice/table";
import { useLoginRoles } from "./login-roles";
import { PASSWORD, referenceOf, session, VERSIONS } from "./servers";

/** The SQL that the preflight names is run as it is printed, and then the preflight passes. */
describe.each(VERSIONS)("PostgreSQL $version: the SQL of the preflight", (postgres) => {
  const { version, missing } = postgres;
  const { server, owner, a, b, makeLogins, adoption, rotation, single, refusal, warnings, copy } =
    useLoginRoles(postgres);
  const query = (sql: string) => server().query(sql);
  const rotated = async () => {
    await makeLogins();
    await copy(owner(), b());
  };

  it.skipIf(missing)("renames or drops a login role of another owner", async () => {
    await query(`CREATE ROLE ${b()} LOGIN`);
    await query(advised("sql: RENAME", await refusal(adoption())));
    expect(await warnings(adoption())).toEqual([]);
    await query(`ALTER ROLE ${b()}_old RENAME TO ${b()}`);
    await query(advised("sql: DROP ROLE", await refusal(adoption())));
    expect(await warnings(adoption())).toEqual([]);
  });

  it.skipIf(missing)("makes one of ours a member again, and one that is gone", async () => {
    await rotated();
    await query(`REVOKE ${owner()} FROM ${a()}${version < 16 ? "" : ` GRANTED BY ${PIPELINE}`}`);
    const joins = async () => {
      const says = await refusal(rotation());
      await query(version < 16 ? advised("sql: GRANT a membership", says) : advised("sql: GRANT the owner", says));
      expect(await warnings(rotation())).toEqual([]);
    };
    await joins();
    if (version >= 16) {
      await query(`GRANT ${owner()} TO ${a()} WITH SET FALSE`);
      await joins();
      await query(`REVOKE ${a()} FROM ${PIPELINE}`);
      await query(advised("sql: GRANT ADMIN of a login", await refusal(rotation())));
      expect(await warnings(rotation())).toEqual([]);
    }
    await query(`DROP ROLE ${a()}`);
    const made = advised("sql: a login role made again", await refusal(rotation()));
    await withDatabase(referenceOf(server(), "pipeline"), (client) => client.query(made));
    expect(await warnings(rotation())).toEqual([]);
  });

  it.skipIf(missing)("gives the run's own login what it lacks, in quotes that every name needs", async () => {
    const odd = `odd-${owner()}`;
    await query(`CREATE ROLE "${odd}" LOGIN PASSWORD '${PASSWORD}'`);
    const asks = () => checkDatabase(referenceOf(server(), "pipeline"), [odd]).catch((error: Error) => error.message);
    if (version >= 16) await query(advised("sql: GRANT ADMIN of the owner", await asks()));
    expect(await asks()).toMatch(/^PostgreSQL/);
    await query(`ALTER ROLE ${PIPELINE} NOCREATEROLE`);
    await query(advised("sql: CREATEROLE", await asks()));
    expect(await asks()).toMatch(/^PostgreSQL/);
    await query(`ALTER ROLE ${PIPELINE} SET default_transaction_read_only = on`);
    const { rows } = await query(advised("sql: who sets read only", await asks()));
    expect(rows).toMatchObject([{ source: expect.any(String) }]);
    await query(`ALTER ROLE ${PIPELINE} RESET default_transaction_read_only`);
  });

  it.skipIf(missing || version < 15)("lets the run's own login give a setting", async () => {
    await query(`ALTER ROLE ${owner()} SET log_statement = 'none'; ALTER ROLE ${owner()} SET app.tenant = 'x'`);
    await query(advised("sql: GRANT SET ON PARAMETER", await refusal(adoption())));
    await query(advised("sql: GRANT SET ON PARAMETER", await refusal(adoption())));
    expect(await warnings(adoption())).toEqual([]);
    await query(`REVOKE SET ON PARAMETER log_statement, app.tenant FROM ${PIPELINE}`);
  });

  it.skipIf(missing)("keeps either side of a setting that was changed on both", async () => {
    await rotated();
    await query(`ALTER ROLE ${owner()} SET work_mem = '6MB'; ALTER ROLE ${b()} SET work_mem = '7MB'`);
    await query(advised("sql: a setting of a role", await refusal(rotation())));
    expect(await warnings(rotation())).toEqual([]);
    await query(`ALTER ROLE ${owner()} SET lock_timeout = '8s'; ALTER ROLE ${b()} SET lock_timeout = '9s'`);
    const [, logins = ""] = (await refusal(rotation())).split("; or the login's: ");
    await query(advised("sql: a setting of a role", logins));
    expect(await warnings(rotation())).toEqual([]);
  });

  it.skipIf(missing)("makes a policy and a default independent of the login's name", async () => {
    const table = `of_${owner()}`;
    await query(`
      CREATE TABLE ${table} (id int, made_by text DEFAULT session_user); ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
      CREATE POLICY own ON ${table} TO ${owner()} USING (made_by = session_user)`);
    await query(advised("sql: ALTER POLICY", await refusal(adoption())));
    await query(advised("sql: a default", (await warnings(adoption())).join()));
    expect(await warnings(adoption())).toEqual([]);
    await query(`DROP TABLE ${table}`);
  });

  it.skipIf(missing)("lifts a validity, a limit of connections, and rights that the run cannot give", async () => {
    await query(`ALTER ROLE ${owner()} VALID UNTIL '2001-01-01'`);
    await query(advised("sql: VALID UNTIL", await refusal(adoption())));
    for (const logins of [adoption(), single()]) expect(await warnings(logins)).toEqual([]);

    await query(`ALTER ROLE ${owner()} CONNECTION LIMIT 1`);
    await session(server(), owner(), async () => {
      await query(advised("sql: CONNECTION LIMIT", await refusal(single())));
      expect(await warnings(single())).toEqual([]);
    });

    await query(`ALTER ROLE ${owner()} SUPERUSER`);
    await query(advised("sql: NOSUPERUSER", await refusal(single())));
    expect(await warnings(single())).toEqual([]);

    await query(`ALTER ROLE ${owner()} REPLICATION`);
    const says = await refusal(adoption());
    await query(version >= 16 ? advised("sql: REPLICATION", says) : advised("sql: NOREPLICATION", says));
    expect(await warnings(adoption())).toEqual([]);
    await query(`ALTER ROLE ${PIPELINE} NOREPLICATION`);
  });

  it.skipIf(missing)("lets the owner connect", async () => {
    await query(
      `GRANT CONNECT ON DATABASE trader TO ${PIPELINE}; REVOKE CONNECT ON DATABASE trader FROM PUBLIC, ${owner()}`,
    );
    await query(advised("sql: GRANT CONNECT", await refusal(adoption())));
    expect(await warnings(adoption())).toEqual([]);
    await query("GRANT CONNECT ON DATABASE trader TO PUBLIC");
  });

  it.skipIf(missing)("gives a membership of one login to the owner, or takes it away, whoever granted it", async () => {
    await rotated();
    await query(`GRANT readers TO ${b()}`);
    await query(advised("sql: GRANT a membership", await refusal(rotation())));
    expect(await warnings(rotation())).toEqual([]);
    await query(`REVOKE readers FROM ${owner()}`);
    await query(advised("sql: REVOKE a membership", await refusal(rotation())));
    expect(await warnings(rotation())).toEqual([]);
    // Since PostgreSQL 16 a plain REVOKE takes only what its own role granted.
    await query(`CREATE ROLE desk_${owner()} LOGIN PASSWORD '${PASSWORD}'`);
    await query(`GRANT readers TO desk_${owner()} WITH ADMIN OPTION`);
    await session(server(), `desk_${owner()}`, (client) => client.query(`GRANT readers TO ${b()}`));
    await query(advised("sql: REVOKE a membership", await refusal(rotation())));
    expect(await warnings(rotation())).toEqual([]);
  });

  it.skipIf(missing)("gives the owner what a login made for itself", async () => {
    await rotated();
    await query(`CREATE TABLE own_${owner()} (id int); ALTER TABLE own_${owner()} OWNER TO ${b()}`);
    await query(advised("sql: REASSIGN OWNED", (await warnings(rotation())).join()));
    expect(await warnings(rotation())).toEqual([]);
    await query(`DROP TABLE own_${owner()}`);
  });

  it.skipIf(missing)("loads a pg_hba.conf that was changed as it says", async () => {
    const file = String((await query("SHOW hba_file")).rows[0].hba_file);
    const before = await readFile(file, "utf8");
    const line = (user: string) =>
      `host trader ${user} 127.0.0.1/32 scram-sha-256\nhost all postgres 127.0.0.1/32 scram-sha-256\n`;
    await writeFile(file, line(owner()));
    await query("SELECT pg_reload_conf()");
    const says = await refusal(adoption(), "superuser");
    expect(says).toContain(`write +${owner()} for ${owner()} there`);
    await writeFile(file, line(`+${owner()}`));
    await query(advised("sql: pg_reload_conf", says));
    expect(await warnings(adoption(), "superuser")).toEqual([]);
    await writeFile(file, before);
    await query("SELECT pg_reload_conf()");
  });
});
