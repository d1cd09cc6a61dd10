import type pg from "pg";
import type { SessionView } from "../../../core/rehearsal";
import type { RehearsedLogin } from "./input";

/** A session from where a reader is. */
export type Enter = <T>(login: RehearsedLogin, use: (client: pg.Client) => Promise<T>) => Promise<T>;

/**
 * Looks around in a session. Over a pooler only at whose it is: its connection to the server may be an old one, and one that
 * another client has changed (`SET`).
 */
export async function lookAround(client: pg.ClientBase, isPooled: boolean): Promise<SessionView> {
  const [{ session, acting, schemas }] = (await client.query(WHO)).rows;
  // A second transaction: over a pooler perhaps on another connection to the server.
  await client.query("BEGIN; SELECT 1; COMMIT");
  if (isPooled) return { session };
  // Of this session alone: the login's own limit may be too short for what follows.
  await client.query("SET statement_timeout TO 0");
  const settings = pairsOf((await client.query(SETTINGS)).rows);
  const own = pairsOf((await client.query(OWN_SETTINGS)).rows);
  const roles = (await client.query(ROLES)).rows.map(({ name }) => String(name));
  const rights = pairsOf((await client.query(RIGHTS)).rows);
  return { session, acting, schemas, settings: { ...settings, ...own }, roles, rights };
}

/** The rights in one schema, object by object: to name what differs. */
export const objectRights = async (client: pg.ClientBase, schema: string): Promise<Record<string, string>> =>
  pairsOf((await client.query(OBJECTS, [schema])).rows);

const pairsOf = (rows: readonly { name: string; value: string | null }[]): Record<string, string> =>
  Object.fromEntries(rows.flatMap(({ name, value }) => (value === null ? [] : [[name, value]])));

const WHO = `SELECT session_user::text AS session, current_user::text AS acting,
  array_to_string(current_schemas(true), ', ') AS schemas`;

/** As the session began: what a client has set since does not count. */
const SETTINGS = `SELECT name, reset_val AS value FROM pg_settings
  WHERE context <> 'internal' AND name NOT IN ('application_name', 'is_superuser', 'role', 'session_authorization')`;

/** Settings with a prefix of their own, such as app.tenant, are in no list. */
const OWN_SETTINGS = `SELECT DISTINCT name, current_setting(name, true) AS value
  FROM pg_db_role_setting, unnest(setconfig) AS entry, split_part(entry, '=', 1) AS name WHERE name LIKE '%.%'`;

/** Those that the session may act as. Since PostgreSQL 16 a membership may be without that. */
const ROLES = `WITH RECURSIVE of (role) AS (
    SELECT oid FROM pg_roles WHERE rolname = session_user
    UNION SELECT m.roleid FROM of JOIN pg_auth_members m ON m.member = of.role
      AND coalesce(to_jsonb(m) ->> 'set_option', 'true') = 'true')
  SELECT rolname AS name FROM of JOIN pg_roles ON oid = role ORDER BY 1`;

const OWN_SCHEMA = "nspname !~ '^pg_' AND nspname <> 'information_schema'";

const OF_RELATION = `CASE WHEN NOT has_table_privilege(c.oid, 'SELECT') THEN '-' ELSE 'r' END
  || CASE WHEN c.relkind = 'S' THEN CASE WHEN has_sequence_privilege(c.oid, 'USAGE') THEN 'U' ELSE '-' END
     ELSE CASE WHEN has_table_privilege(c.oid, 'INSERT') THEN 'a' ELSE '-' END
       || CASE WHEN has_table_privilege(c.oid, 'DELETE') THEN 'd' ELSE '-' END
       || CASE WHEN row_security_active(c.oid) THEN ' by its policies' ELSE '' END END
  || CASE WHEN has_table_privilege(c.oid, 'UPDATE') THEN 'w' ELSE '-' END`;

const OF_FUNCTION = "CASE WHEN has_function_privilege(p.oid, 'EXECUTE') THEN 'X' ELSE '-' END";

const RELATIONS = `SELECT c.relnamespace AS schema, quote_ident(c.relname) AS name, ${OF_RELATION} AS value FROM pg_class c
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't'
  UNION ALL SELECT p.pronamespace, format('%I(%s)', p.proname, pg_get_function_identity_arguments(p.oid)), ${OF_FUNCTION} FROM pg_proc p`;

/** A name's spelling depends on search_path: digests are made of ids. */
const RIGHTS = `WITH object AS (
    SELECT c.relnamespace AS schema, c.oid AS id, ${OF_RELATION} AS value FROM pg_class c
      WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't'
    UNION ALL SELECT p.pronamespace, p.oid, ${OF_FUNCTION} FROM pg_proc p)
  SELECT 'in the schema ' || nspname AS name,
    CASE WHEN has_schema_privilege(n.oid, 'USAGE') THEN 'U' ELSE '-' END
    || CASE WHEN has_schema_privilege(n.oid, 'CREATE') THEN 'C' ELSE '-' END
    || coalesce(md5(string_agg(o.id || ' ' || o.value, ',' ORDER BY o.id)), '') AS value
  FROM pg_namespace n LEFT JOIN object o ON o.schema = n.oid WHERE ${OWN_SCHEMA} GROUP BY n.oid, nspname
  UNION ALL SELECT 'on the database',
    concat(has_database_privilege(oid, 'CONNECT'), has_database_privilege(oid, 'CREATE'), has_database_privilege(oid, 'TEMP'))
  FROM pg_database WHERE datname = current_database()`;

const OBJECTS = `SELECT name, value FROM (${RELATIONS}) AS o WHERE schema = (SELECT oid FROM pg_namespace WHERE nspname = $1)
  UNION ALL SELECT 'the schema itself', concat(
    CASE WHEN has_schema_privilege(oid, 'USAGE') THEN 'U' ELSE '-' END,
    CASE WHEN has_schema_privilege(oid, 'CREATE') THEN 'C' ELSE '-' END) FROM pg_namespace WHERE nspname = $1`;
