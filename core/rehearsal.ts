/** What a session of a login sees and may do. What is not asked (over a pooler) is absent. */
export interface SessionView {
  /** The login that the server knows: over a pooler it may be another one. */
  readonly session: string;
  /** The role that the session acts as. */
  readonly acting?: string;
  /** The schemas that it finds without naming them, in order. */
  readonly schemas?: string;
  /** The settings that the session began with, by name. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The roles that it is a member of, and may act as. */
  readonly roles?: readonly string[];
  /** What it may do with each schema and its objects, and with the database: digests by name. */
  readonly rights?: Readonly<Record<string, string>>;
}

/** Differences between logins that are known and no fault. */
export interface Expected {
  /** Settings that were changed on purpose since the login in use was made. */
  readonly settings: ReadonlySet<string>;
  /** The logins' owner. */
  readonly owner: string;
  /** The names that the logins have. */
  readonly old: string;
  readonly next: string;
}

/** What a session of the new login lacks or has otherwise than one of the login in use, in words. */
export function differencesOf(old: SessionView, next: SessionView, expected: Expected): string[] {
  const found: string[] = [];
  // A pooler may log in to the server as a user of its own.
  const session = old.session === expected.old ? expected.next : old.session;
  if (next.session !== session) found.push(was("the login that the server knows", session, next.session));
  const settings = keysOf(old.settings ?? {}, next.settings ?? {}).filter(
    (name) => !expected.settings.has(name) && old.settings?.[name] !== next.settings?.[name],
  );
  for (const name of settings)
    found.push(was(`the setting ${name}`, shown(old.settings?.[name]), shown(next.settings?.[name])));
  if (old.acting !== next.acting) found.push(was("the role that a session acts as", old.acting, next.acting));
  const pathMoved = expected.settings.has("search_path") || settings.includes("search_path");
  if (!pathMoved && old.schemas !== next.schemas)
    found.push(was("the schemas that a session finds", old.schemas, next.schemas));
  return [...found, ...memberships(old, next, expected), ...rightsOf(old, next)];
}

function memberships(old: SessionView, next: SessionView, expected: Expected): string[] {
  if (old.roles === undefined || next.roles === undefined) return [];
  const own = [expected.owner, expected.old, expected.next];
  const others = (roles: readonly string[]) => roles.filter((role) => !own.includes(role));
  const [before, after] = [others(old.roles), others(next.roles)] as const;
  const lost = before.filter((role) => !after.includes(role));
  const more = after.filter((role) => !before.includes(role));
  return [
    ...lost.map((role) => `it is no member of ${role}`),
    ...more.map((role) => `it is a member of ${role}, which the login in use is not`),
  ];
}

/** The names of what differs: the caller asks for the details of a schema. What only one session saw has come or gone. */
function rightsOf({ rights: old = {} }: SessionView, { rights: next = {} }: SessionView): string[] {
  return keysOf(old, next)
    .filter((name) => name in old && name in next && old[name] !== next[name])
    .map((name) => `other rights ${name}`);
}

const keysOf = (a: object, b: object) => [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();

const was = (what: string, old = "not set", next = "not set") => `${what} is ${next} and was ${old}`;

const shown = (value: string | undefined) => (value === undefined ? undefined : JSON.stringify(value.slice(0, 80)));

/** How a row of a rehearsal ended. */
export type Verdict =
  | "ok"
  /** A service that reads the new credential would fail or see something else. */
  | "differs"
  /** The login in use does not get through here either: services have another way. */
  | "no way"
  /** It could not be tried. */
  | "unseen";

/** One reader over one path. */
export interface RehearsalRow {
  /** `signal-service on trading-1`; several services that reach the database in the same way are one. */
  readonly reader: string;
  /** `primary`, `pgbouncer:6432`; or `store`. */
  readonly path: string;
  readonly verdict: Verdict;
  /** For each part: what was seen. */
  readonly login: string;
  readonly rights: string;
  readonly store: string;
}

/** A row as one line of a message. */
export const rowWords = ({ reader, path, login, rights, store }: RehearsalRow): string =>
  `${reader} over ${path}: ${[login, rights, store].filter((text) => text !== "").join("; ")}`;
