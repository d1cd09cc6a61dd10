import fc from "fast-check";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withDatabase } from "../../../clients/postgres";
import { messageOf } from "../../../core/errors";
import { PIPELINE } from "../../../dev/lab/pipeline-login";
import { deploySql } from "../../../dev/lab/policies";
import type { Postgres } from "../../../dev/lab/postgres";
import { copyRole } from "../../../kinds/postgres-password/login-copy";
import { checkLoginRole } from "../../../kinds/postgres-password/preflight/login-role";
import { PASSWORD, referenceOf, session, startServer, VERSIONS } from "./servers";

const DAY = 86_400_000;

/** Settings that a role may have, each with values that are not its default. */
const SETTINGS: Readonly<Record<string, readonly string[]>> = {
  search_path: ["app, public", '"$user", "odd, name", app', "''"],
  statement_timeout: ["'29s'", "30000", "'1min'", "0"],
  idle_in_transaction_session_timeout: ["'60s'", "1500"],
  TimeZone: ["'America/New_York'", "'Asia/Kathmandu'"],
  default_transaction_isolation: ["'serializable'"],
  default_transaction_read_only: ["on"],
  work_mem: ["'5MB'"],
  DateStyle: ["'German, DMY'"],
  bytea_output: ["'escape'"],
  temp_tablespaces: ["''"],
  log_statement: ["'ddl'"],
  "app.tenant": ["'desk 7'", "'it''s \\ mine'"],
};

interface Described {
  readonly settings: readonly { readonly name: string; readonly value: string; readonly here: boolean }[];
  readonly limit: number;
  readonly until: string | null;
  readonly flags: readonly string[];
  readonly groups: readonly string[];
  readonly acts: boolean;
}

const setting = fc
  .constantFrom(...Object.entries(SETTINGS).flatMap(([name, values]) => values.map((value) => ({ name, value }))))
  .chain(({ name, value }) => fc.boolean().map((here) => ({ name, value, here })));

const described: fc.Arbitrary<Described> = fc.record({
  settings: fc.uniqueArray(setting, { maxLength: 5, selector: ({ name, here }) => `${name} ${here}` }),
  limit: fc.constantFrom(-1, -1, 5, 61),
  until: fc.constantFrom(null, null, "infinity", "2031-02-03 04:05:06.5+00", "2001-01-01"),
  flags: fc.subarray(["NOINHERIT", "CREATEDB", "BYPASSRLS", "REPLICATION", "CREATEROLE"]),
  groups: fc.subarray(["readers", "writers", "readers_admin"]),
  acts: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
});

const set = (role: string, { name, value, here }: Described["settings"][number]) =>
  `ALTER ROLE ${role} ${here ? "IN DATABASE trader " : ""}SET ${name} TO ${value}`;

function statementsOf(role: string, of: Described): string[] {
  return [
    `CREATE ROLE ${role} LOGIN PASSWORD '${PASSWORD}' CONNECTION LIMIT ${of.limit} ${of.flags.join(" ")}`,
    ...(of.until === null ? [] : [`ALTER ROLE ${role} VALID UNTIL '${of.until}'`]),
    ...of.groups.map((group) =>
      group === "readers_admin" ? `GRANT readers TO ${role} WITH ADMIN OPTION` : `GRANT ${group} TO ${role}`,
    ),
    ...of.settings.map((one) => set(role, one)),
    ...(of.acts && of.groups.includes("writers") ? [`ALTER ROLE ${role} SET role TO 'writers'`] : []),
    `CREATE TABLE app.of_${role} (id int); ALTER TABLE app.of_${role} OWNER TO ${role}`,
    `INSERT INTO app.secured VALUES ('${role}')`,
    `CREATE USER MAPPING FOR ${role} SERVER elsewhere OPTIONS (user 'of ${role}')`,
    `ALTER DEFAULT PRIVILEGES FOR ROLE ${role} GRANT SELECT ON TABLES TO readers`,
  ];
}

/** What a session sees: its settings, who it is, what it may do, and what its login is limited by. */
async function seen(server: Postgres, login: string): Promise<unknown> {
  return session(server, login, async (client) => {
    const ask = async (sql: string) => (await client.query(sql)).rows;
    const may = async (sql: string) =>
      client.query(`BEGIN; ${sql}; ROLLBACK`).then(
        () => "ok",
        async (error: { code?: string }) => {
          await client.query("ROLLBACK");
          return error.code;
        },
      );
    return {
      who: await ask(
        "SELECT current_user, current_schemas(true) AS schemas, current_setting('app.tenant', true) AS tenant",
      ),
      settings: await ask(
        "SELECT name, setting FROM pg_settings WHERE name NOT IN ('role', 'session_authorization') ORDER BY name",
      ),
      objects: await ask(
        `SELECT c.oid::regclass::text AS name, has_table_privilege(c.oid, 'SELECT') AS s, has_table_privilege(c.oid, 'INSERT') AS i,
                has_schema_privilege(relnamespace, 'CREATE') AS c
         FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
         WHERE relkind = 'r' AND nspname IN ('app', 'public', 'pg_catalog') ORDER BY 1`,
      ),
      members: await ask(
        `SELECT rolname, pg_has_role(oid, 'USAGE') AS u, pg_has_role(oid, 'MEMBER') AS m, pg_has_role(oid, 'MEMBER WITH ADMIN OPTION') AS a
         FROM pg_roles WHERE rolname !~ '_[ab]$' ORDER BY 1`,
      ),
      limits: await ask(
        `SELECT rolconnlimit, coalesce(rolvaliduntil, 'infinity')::text AS until, rolreplication FROM pg_roles WHERE rolname = session_user`,
      ),
      mappings: await ask("SELECT usename, umoptions FROM pg_user_mappings ORDER BY 1"),
      rows: await ask("SELECT name FROM app.secured ORDER BY 1").catch((error: { code?: string }) => error.code),
      makes: await made(client),
      does: [
        await may("SET ROLE readers"),
        await may("SET ROLE writers"),
        await may("CREATE TABLE app.made (id int)"),
        await may("SELECT * FROM app.readable"),
        await may("INSERT INTO app.readable VALUES (1)"),
      ],
    };
  });
}

/** Whose a table is that a session makes, and what others may do with it. */
async function made(client: pg.Client): Promise<unknown> {
  try {
    await client.query("BEGIN READ WRITE; CREATE TABLE app.made (id int)");
    const sql =
      "SELECT relowner::regrole::text AS owner, relacl::text AS acl FROM pg_class WHERE oid = 'app.made'::regclass";
    return (await client.query(sql)).rows;
  } finally {
    await client.query("ROLLBACK");
  }
}

/** All that the server keeps of roles; nothing of it moves where a rotation is refused. */
async function catalog(server: Postgres): Promise<unknown> {
  const tables = ["pg_authid", "pg_auth_members", "pg_db_role_setting", "pg_shdescription"];
  return Promise.all(
    tables.map(async (table) => (await server.query(`SELECT t::text FROM ${table} t ORDER BY 1`)).rows),
  );
}

describe.each(VERSIONS)("PostgreSQL $version", ({ home, missing }) => {
  let server: Postgres;
  let stop: (() => Promise<void>) | undefined;
  let count = 0;

  beforeAll(async () => {
    if (missing) return;
    ({ server, stop } = await startServer(home, { log_statement: "none" }));
    await server.query(`
      CREATE SCHEMA app; CREATE SCHEMA "odd, name"; GRANT ALL ON SCHEMA app, "odd, name" TO PUBLIC;
      CREATE TABLE app.readable (id int); CREATE ROLE readers; CREATE ROLE writers;
      CREATE TABLE app.secured (name text); GRANT SELECT ON app.secured TO PUBLIC;
      ALTER TABLE app.secured ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON app.secured USING (name = current_user);
      CREATE FOREIGN DATA WRAPPER far; CREATE SERVER elsewhere FOREIGN DATA WRAPPER far;
      GRANT USAGE ON FOREIGN SERVER elsewhere TO PUBLIC;
      GRANT SELECT ON app.readable TO readers; GRANT INSERT ON app.readable TO writers`);
  });
  afterAll(async () => {
    delete process.env.PGPASSWORD;
    await stop?.();
  });

  /** Makes a login role as the plugin does, of an owner or of the other login, unless the preflight refuses. */
  async function replace(as: "superuser" | "pipeline", owner: string, from: string, to: string) {
    const reference = referenceOf(server, as);
    const ours = [`${owner}_a`, `${owner}_b`];
    const logins = { owner, from, to, ours, adopting: from === owner, maxAge: 90 * DAY };
    const before = await catalog(server);
    try {
      await checkLoginRole(reference, logins, "rotation");
    } catch (error) {
      expect(await catalog(server)).toEqual(before);
      expect(messageOf(error)).toMatch(/`[^`]+`/);
      return messageOf(error);
    }
    await withDatabase(reference, async (client) => {
      if ((await client.query("SELECT FROM pg_roles WHERE rolname = $1", [to])).rowCount === 0) {
        for (const role of ours) {
          await client.query(
            `CREATE ROLE ${role} NOLOGIN; GRANT ${owner} TO ${role}; ALTER ROLE ${role} SET role TO '${owner}'`,
          );
        }
      }
      await copyRole(client, { owner, from, to });
      expect(await copyRole(client, { owner, from, to })).toEqual([]);
      await client.query(`ALTER ROLE ${to} LOGIN PASSWORD '${PASSWORD}'`);
    });
    const { rows } = await server.query("SELECT unnest(rolconfig) AS entry FROM pg_roles WHERE rolname = $1", [to]);
    for (const { entry } of rows) expect(entry).not.toMatch(/^(statement|idle_in_transaction_session)_timeout=.*\D$/);
    return undefined;
  }

  it.skipIf(missing).each(["superuser", "pipeline"] as const)(
    "a session of the next login sees what one of the login in use saw, or nothing has changed; as %s",
    async (as) => {
      const refused: string[] = [];
      let equal = 0;
      const one = async (role: Described, byHand: Described["settings"], later: Described["settings"]) => {
        count += 1;
        const owner = `r${count}`;
        for (const sql of statementsOf(owner, role)) await server.query(sql);
        await server.query(deploySql("managed-role", { pipeline: PIPELINE, role: owner, database: "trader" }));
        const [a, b] = [`${owner}_a`, `${owner}_b`];
        const old = await seen(server, owner).catch((error: { code?: string }) => error.code);
        const why = await replace(as, owner, owner, b);
        if (why !== undefined) return refused.push(why);
        expect(await seen(server, b)).toEqual(old);
        // By hand on the login in use: kept.
        for (const set_ of byHand) await server.query(set(b, set_));
        const inUse = await seen(server, b);
        const whyA = await replace(as, owner, b, a);
        if (whyA !== undefined) return refused.push(whyA);
        expect(await seen(server, a)).toEqual(inUse);
        // On the owner since then: carried, where the login's own was not changed as well.
        for (const set_ of later) await server.query(set(owner, set_));
        const whyB = await replace(as, owner, a, b);
        if (whyB !== undefined) return refused.push(whyB);
        if (byHand.length === 0) expect(await seen(server, b)).toEqual(await seen(server, owner));
        equal += 1;
      };
      const hand = fc.oneof(
        fc.constant([]),
        described.map(({ settings }) => settings.slice(0, 2)),
      );
      await fc.assert(
        fc.asyncProperty(described, hand, hand, async (role, byHand, later) => void (await one(role, byHand, later))),
        { seed: 20261130, numRuns: 16, endOnFailure: true },
      );
      // Neither way out may swallow the other.
      expect(equal).toBeGreaterThan(2);
      if (as === "pipeline") expect(refused.length).toBeGreaterThan(0);
    },
  );
});
