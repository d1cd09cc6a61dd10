import type { Client } from "pg";
import type { BridgedResource } from "./bridge";
import { texts } from "./coerce";
import { attempt, doing, type PgConnection } from "./pg-client";
import type { Schema } from "./schema";
import { type Json, type Properties, same } from "./values";

const schema: Schema = {
  assumeRole: {},
  bypassRowLevelSecurity: { default: false },
  connectionLimit: { default: -1 },
  createDatabase: { default: false },
  createRole: { default: false },
  encrypted: {},
  encryptedPassword: { default: true },
  idleInTransactionSessionTimeout: {},
  inherit: { default: true },
  login: { default: false },
  name: { autoName: true },
  password: { secret: true },
  passwordWo: { secret: true },
  passwordWoVersion: {},
  replication: { default: false },
  roles: { kind: "set" },
  searchPaths: { kind: "list" },
  skipDropRole: { default: false },
  skipReassignOwned: { default: false },
  statementTimeout: {},
  superuser: { default: false },
  validUntil: { default: "infinity" },
};

/** Options of CREATE ROLE and ALTER ROLE that are a word or its opposite. */
const flags: Record<string, string> = {
  superuser: "SUPERUSER",
  createDatabase: "CREATEDB",
  createRole: "CREATEROLE",
  inherit: "INHERIT",
  login: "LOGIN",
  replication: "REPLICATION",
  bypassRowLevelSecurity: "BYPASSRLS",
};

/** Settings that a role's sessions start with. */
const settings: Record<string, string> = {
  assumeRole: "ROLE",
  idleInTransactionSessionTimeout: "idle_in_transaction_session_timeout",
  searchPaths: "search_path",
  statementTimeout: "statement_timeout",
};

/** `postgresql.Role`. Its password may be a SCRAM verifier, which the server stores as it is. */
export function roleResource(connection: () => PgConnection): BridgedResource {
  const read = (name: string, known: Properties | undefined) =>
    attempt(
      "",
      connection().transaction((client) => readRole(client, name, known)),
    );
  const readBack = async (name: string, plan: Properties): Promise<Properties> => {
    const state = await read(name, plan);
    if (state === undefined) throw new Error(`role "${name}" does not exist: run pulumi refresh`);
    return state;
  };
  return {
    schema,
    renamed: { searchPaths: "search_path" },
    create: async (plan) => {
      const name = String(plan.name);
      const work = connection().transaction(async (client) => {
        const options = await Promise.all(Object.keys(schema).map((key) => option(client, key, plan[key] ?? null)));
        await client.query(`CREATE ROLE ${client.escapeIdentifier(name)} WITH ${options.filter(Boolean).join(" ")}`);
        await grantAll(client, name, texts(plan.roles));
        for (const key of Object.keys(settings)) await applySetting(client, name, key, plan[key] ?? null, null);
      });
      await attempt(`error creating role ${name}: `, work);
      return { id: name, state: await readBack(name, plan) };
    },
    read: (id, old) => read(String(old?.name ?? id), old),
    update: async (id, old, plan) => {
      const name = String(plan.name);
      const work = connection().transaction((client) => alterRole(client, String(old.name ?? id), old, plan));
      await attempt("", work);
      // What was changed stays, even if the role cannot be read afterwards.
      return readBack(name, plan);
    },
    delete: async (id, state) => {
      const name = String(state.name ?? id);
      await attempt(
        "",
        connection().transaction((client) => dropRole(client, name, state, connection().superuser)),
      );
    },
  };
}

async function option(client: Client, key: string, value: Json): Promise<string> {
  const flag = flags[key];
  // Only a superuser may write NOSUPERUSER, NOREPLICATION or NOBYPASSRLS; they are the default anyway.
  const privileged = key === "superuser" || key === "replication" || key === "bypassRowLevelSecurity";
  if (flag !== undefined) return value === true ? flag : privileged ? "" : `NO${flag}`;
  if (value === null) return "";
  if (key === "connectionLimit") return `CONNECTION LIMIT ${Number(value)}`;
  if (key === "validUntil") return `VALID UNTIL ${client.escapeLiteral(String(value))}`;
  if (key === "password") return value === "" ? "" : `PASSWORD ${client.escapeLiteral(String(value))}`;
  return "";
}

/**
 * Changes what differs, a statement each, and, as the real one does with every change of a role: all its memberships are
 * revoked and granted anew, and `search_path` becomes what the state has, whatever the program ignores.
 */
async function alterRole(client: Client, before: string, old: Properties, plan: Properties): Promise<void> {
  const name = String(plan.name);
  const role = client.escapeIdentifier(name);
  if (before !== name) await client.query(`ALTER ROLE ${client.escapeIdentifier(before)} RENAME TO ${role}`);
  for (const key of ["password", "connectionLimit", ...Object.keys(flags), "validUntil"]) {
    const value = plan[key] ?? null;
    if (same(old[key] ?? null, value)) continue;
    const flag = flags[key];
    const text = flag === undefined ? await option(client, key, value) : `WITH ${value === true ? flag : `NO${flag}`}`;
    if (text !== "") await client.query(`ALTER ROLE ${role} ${text}`);
  }
  await revokeAll(client, name);
  await grantAll(client, name, texts(plan.roles));
  for (const key of Object.keys(settings)) await applySetting(client, name, key, plan[key] ?? null, old[key] ?? null);
}

async function revokeAll(client: Client, name: string): Promise<void> {
  const { rows } = await client.query<{ role: string }>(
    `SELECT pg_get_userbyid(roleid) AS role FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member
     WHERE r.rolname = $1`,
    [name],
  );
  for (const { role } of rows) {
    const revoke = client.query(`REVOKE ${client.escapeIdentifier(role)} FROM ${client.escapeIdentifier(name)}`);
    await doing(`could not revoke role ${role} from ${name}`, revoke);
  }
}

async function grantAll(client: Client, name: string, roles: readonly string[]): Promise<void> {
  for (const role of roles) {
    const grant = client.query(`GRANT ${client.escapeIdentifier(role)} TO ${client.escapeIdentifier(name)}`);
    await doing(`could not grant role ${role} to ${name}`, grant);
  }
}

async function applySetting(client: Client, name: string, key: string, value: Json, old: Json): Promise<void> {
  const none = (item: Json) => item === null || item === "" || item === 0 || (Array.isArray(item) && item.length === 0);
  if (key !== "searchPaths" && ((none(value) && none(old)) || same(value, old))) return;
  const role = client.escapeIdentifier(name);
  const setting = settings[key] ?? key;
  const list = (Array.isArray(value) ? value : [value]).map((item) => client.escapeIdentifier(String(item)));
  if (none(value)) await client.query(`ALTER ROLE ${role} RESET ${setting}`);
  else if (typeof value === "number") await client.query(`ALTER ROLE ${role} SET ${setting} TO ${value}`);
  else await client.query(`ALTER ROLE ${role} SET ${setting} TO ${list.join(", ")}`);
}

interface RoleRow {
  rolname: string;
  rolsuper: boolean;
  rolinherit: boolean;
  rolcreaterole: boolean;
  rolcreatedb: boolean;
  rolcanlogin: boolean;
  rolreplication: boolean;
  rolbypassrls: boolean;
  rolconnlimit: number;
  validuntil: string;
  config: string[];
  roles: string[];
}

/** The server's view; the password is the state's own, for a verifier cannot be turned back. */
async function readRole(client: Client, name: string, known: Properties | undefined): Promise<Properties | undefined> {
  const { rows } = await client.query<RoleRow>(
    `SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls,
            rolconnlimit, COALESCE(rolvaliduntil::text, 'infinity') AS validuntil, COALESCE(rolconfig, '{}') AS config,
            ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
                  WHERE m.member = pg_roles.oid ORDER BY 1) AS roles
     FROM pg_roles WHERE rolname = $1`,
    [name],
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  const config = new Map(row.config.map((entry) => entry.split(/=(.*)/s).slice(0, 2) as [string, string]));
  return {
    assumeRole: unquote(config.get("role") ?? ""),
    bypassRowLevelSecurity: row.rolbypassrls,
    connectionLimit: row.rolconnlimit,
    createDatabase: row.rolcreatedb,
    createRole: row.rolcreaterole,
    encrypted: null,
    encryptedPassword: true,
    idleInTransactionSessionTimeout: whole(config.get("idle_in_transaction_session_timeout")),
    inherit: row.rolinherit,
    login: row.rolcanlogin,
    name: row.rolname,
    password: known?.password ?? null,
    passwordWo: null,
    passwordWoVersion: known?.passwordWoVersion ?? null,
    replication: row.rolreplication,
    roles: row.roles,
    searchPaths: splitPath(config.get("search_path")),
    skipDropRole: known?.skipDropRole ?? false,
    skipReassignOwned: known?.skipReassignOwned ?? false,
    statementTimeout: whole(config.get("statement_timeout")),
    superuser: row.rolsuper,
    validUntil: row.validuntil,
  };
}

function unquote(name: string): string {
  return /^".*"$/s.test(name) ? name.slice(1, -1).replaceAll('""', '"') : name;
}

function splitPath(path: string | undefined): string[] {
  return path === undefined ? [] : [...path.matchAll(/"(?:[^"]|"")*"|[^,\s]+/g)].map(([part]) => unquote(part));
}

/** The real one reads whole milliseconds and nothing else, and says `statement_timeout` of both. */
function whole(value = "0"): number {
  if (/^[+-]?\d+$/.test(value)) return Number(value);
  throw new Error(`error reading statement_timeout: strconv.Atoi: parsing "${value}": invalid syntax`);
}

async function dropRole(client: Client, name: string, state: Properties, superuser: boolean): Promise<void> {
  const role = client.escapeIdentifier(name);
  if (state.skipReassignOwned !== true) {
    const joined = !superuser && (await join(client, name));
    const reassigned = client.query(`REASSIGN OWNED BY ${role} TO CURRENT_USER`);
    await doing(`could not reassign owned by role ${name} to ${client.user}`, reassigned);
    await client.query(`DROP OWNED BY ${role}`);
    if (joined) await client.query(`REVOKE ${role} FROM CURRENT_USER`);
  }
  if (state.skipDropRole !== true) await doing(`could not delete role ${name}`, client.query(`DROP ROLE ${role}`));
}

/** Makes the administrator a member: without superuser rights it could not reassign what a role owns. */
async function join(client: Client, name: string): Promise<boolean> {
  const { rows } = await client.query<{ member: boolean }>("SELECT pg_has_role($1, 'USAGE') AS member", [name]);
  if (rows[0]?.member) return false;
  await client.query(`GRANT ${client.escapeIdentifier(name)} TO CURRENT_USER`);
  return true;
}
