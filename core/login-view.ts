/**
 * What PostgreSQL keeps for a role and its sessions see, each under a key: `connection limit`, `valid until`,
 * `replication`, `set NAME` and `set NAME in DATABASE`. Defaults are left out. The role that a login acts as
 * (`set role`) is not included: for a login of ours that is always the owner.
 */
export type LoginView = Readonly<Record<string, string>>;

/** A key of a {@link LoginView} that both sides changed, each to another value; null is the default. */
export interface Conflict {
  readonly key: string;
  readonly owner: string | null;
  readonly login: string | null;
}

export interface Merged {
  readonly view: LoginView;
  readonly conflicts: readonly Conflict[];
}

/**
 * What the next login gets: the owner's values, with what was changed by hand on the login in use. A three-way merge, so
 * that a change on either side since the last copy is kept. If both changed the same key, the login's own value wins
 * (services run with it) and the conflict is reported.
 *
 * @param copied the owner as it was at the last copy; empty if nothing was ever copied.
 */
export function mergeViews(copied: LoginView, owner: LoginView, login: LoginView): Merged {
  const view: Record<string, string> = {};
  const conflicts: Conflict[] = [];
  for (const key of [...new Set([...Object.keys(owner), ...Object.keys(login)])].sort()) {
    const [before, theirs, own] = [copied[key], owner[key], login[key]];
    const value = own === before ? theirs : own;
    if (theirs !== before && own !== before && theirs !== own) {
      conflicts.push({ key, owner: theirs ?? null, login: own ?? null });
    }
    if (value !== undefined) view[key] = value;
  }
  return { view, conflicts };
}

/** The keys in which two views differ, sorted. */
export const differingKeys = (a: LoginView, b: LoginView): string[] =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => a[key] !== b[key]).sort();

/** The key of a setting, in every database or in one. */
export const settingKey = (name: string, database?: string): string =>
  `set ${name}${database === undefined ? "" : ` in ${database}`}`;

/** The setting that a key names; undefined for an attribute of the role. */
export function settingOf(key: string): { readonly name: string; readonly database: string | undefined } | undefined {
  // No name of a setting has a space; that of a database may.
  const [, name, database] = /^set (\S+)(?: in (.*))?$/s.exec(key) ?? [];
  return name === undefined ? undefined : { name, database };
}

/** The `ALTER ROLE` statements that bring a role from one view to another, one for each key. */
export function alterations(role: string, from: LoginView, to: LoginView): string[] {
  return differingKeys(from, to).map((key) => alteration(role, key, to[key]));
}

/** @param value undefined sets the default again. */
export function alteration(role: string, key: string, value: string | undefined): string {
  const alter = `ALTER ROLE ${identifier(role)}`;
  const setting = settingOf(key);
  if (setting !== undefined) {
    const where = setting.database === undefined ? "" : ` IN DATABASE ${identifier(setting.database)}`;
    const what = value === undefined ? `RESET ${dotted(setting.name)}` : assignment(setting.name, value);
    return `${alter}${where} ${what}`;
  }
  if (key === "connection limit") return `${alter} CONNECTION LIMIT ${Number(value ?? -1)}`;
  if (key === "valid until") return `${alter} VALID UNTIL ${literal(value ?? "infinity")}`;
  if (key === "replication") return `${alter} ${value === "on" ? "REPLICATION" : "NOREPLICATION"}`;
  throw new Error(`expected a key of a role's view, found ${key}`);
}

/** Settings whose value is a list of quoted names: as one literal it would be one name. The list is pg_dump's own. */
const LISTS = new Set([
  "local_preload_libraries",
  "search_path",
  "session_preload_libraries",
  "shared_preload_libraries",
  "temp_tablespaces",
  "unix_socket_directories",
]);

function assignment(name: string, value: string): string {
  const values = LISTS.has(name.toLowerCase()) ? listOf(value) : [value];
  return `SET ${dotted(name)} TO ${values.map(literal).join(", ")}`;
}

/** The names in a list as the server keeps it: `"$user", public`. */
function listOf(value: string): string[] {
  const found = [...value.matchAll(/"((?:[^"]|"")*)"|[^,\s]+/g)];
  return found.length === 0 ? [""] : found.map(([bare, quoted]) => quoted?.replaceAll('""', '"') ?? bare);
}

/** A setting's name; the parts of one with a prefix (`app.user`) may be words of SQL. */
const dotted = (name: string): string => (name.includes(".") ? name.split(".").map(identifier).join(".") : name);

/** A name in quotes, which works with every name. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A string constant, with the escapes that a backslash needs. */
export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll("\\", "\\\\")}'`;
  return text.includes("\\") ? `E${quoted}` : quoted;
}

/** What a message calls a key: `search_path`, `work_mem in trader`, `connection limit`. */
export const keyName = (key: string): string => key.replace(/^set /, "");

/** Settings that the postgresql plugin can read as whole milliseconds only (`29s` makes its refresh fail). */
const IN_MILLISECONDS = new Set(["statement_timeout", "idle_in_transaction_session_timeout"]);

const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** A setting's value as a login of ours gets it: equivalent for a session, in a form that the plugin can read. */
export function plainValue(name: string, value: string): string {
  const [, amount, unit = "ms"] = /^\s*([+-]?[\d.]+)\s*(us|ms|s|min|h|d)?\s*$/.exec(value) ?? [];
  if (!IN_MILLISECONDS.has(name) || amount === undefined) return value;
  return String(Math.round(Number(amount) * (UNITS[unit] ?? 1)));
}
