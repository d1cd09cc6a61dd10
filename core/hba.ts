/** A line of pg_hba.conf, as `pg_hba_file_rules` shows it. */
export interface HbaRule {
  readonly line: number;
  readonly type: string;
  readonly databases: readonly string[];
  readonly users: readonly string[];
  readonly address: string | null;
  readonly netmask: string | null;
  readonly method: string;
}

/** Who logs in: a name, and every role that it is a member of, itself included. */
export interface HbaUser {
  readonly name: string;
  readonly groups: readonly string[];
}

/** A line that allows one role, while another role is refused from the same place with its password. */
export interface HbaDifference {
  readonly rule: HbaRule;
  /** The line that decides for the other role; undefined if none does. */
  readonly other: HbaRule | undefined;
}

/** Methods with which a role that has a password in PostgreSQL can log in. */
const BY_PASSWORD = new Set(["trust", "password", "md5", "scram-sha-256"]);

/** Kinds of connections, and the lines that apply to each. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  local: ["local"],
  plain: ["host", "hostnossl", "hostnogssenc"],
  ssl: ["host", "hostssl", "hostnogssenc"],
  gss: ["host", "hostnossl", "hostgssenc"],
};

/**
 * The lines that allow `owner` into a database from a place from which `login` would be refused. The first line that
 * matches decides, as in the server; every line's own address is tried.
 */
export function hbaDifferences(
  rules: readonly HbaRule[],
  database: string,
  owner: HbaUser,
  login: HbaUser,
): HbaDifference[] {
  const found = new Map<HbaRule, HbaDifference>();
  for (const types of Object.values(KINDS)) {
    const possible = rules.filter(({ type }) => types.includes(type));
    for (const place of possible) {
      const decides = (user: HbaUser) =>
        possible.find((rule) => covers(rule, place) && isFor(rule.databases, rule.users, database, user));
      const [rule, other] = [decides(owner), decides(login)];
      if (rule === undefined || rule.method === "reject" || rule === other) continue;
      if (other === undefined || !BY_PASSWORD.has(other.method)) found.set(rule, { rule, other });
    }
  }
  return [...found.values()];
}

function isFor(databases: readonly string[], users: readonly string[], database: string, user: HbaUser): boolean {
  const inDatabase = databases.some(
    (word) =>
      word === "all" ||
      word === database ||
      (word === "sameuser" && user.name === database) ||
      ((word === "samerole" || word === "samegroup") && user.groups.includes(database)) ||
      matches(word, database),
  );
  return inDatabase && users.some((word) => word === "all" || isNamed(word, user));
}

const isNamed = (word: string, { name, groups }: HbaUser): boolean =>
  word.startsWith("+") ? groups.includes(word.slice(1)) : word === name || matches(word, name);

/** Since PostgreSQL 16 a word that begins with a slash is a regular expression. */
function matches(word: string, text: string): boolean {
  if (!word.startsWith("/")) return false;
  try {
    return new RegExp(word.slice(1)).test(text);
  } catch {
    return false;
  }
}

/** Whether a line covers all addresses that another one covers. */
function covers(rule: HbaRule, place: HbaRule): boolean {
  if (rule.address === "all") return true;
  if (rule.address === place.address && rule.netmask === place.netmask) return true;
  const [wide, narrow] = [network(rule), network(place)];
  return wide !== undefined && narrow !== undefined && wide.all === narrow.all && narrow.bits.startsWith(wide.bits);
}

/** The fixed bits of a line's address; undefined for a host's name. */
function network({ address, netmask }: HbaRule): { readonly bits: string; readonly all: number } | undefined {
  const [bits, mask] = [bitsOf(address ?? ""), bitsOf(netmask ?? "")];
  if (bits === undefined || mask === undefined) return undefined;
  return { bits: bits.slice(0, mask.lastIndexOf("1") + 1), all: bits.length };
}

function bitsOf(address: string): string | undefined {
  if (/^\d+(\.\d+){3}$/.test(address)) return binary(address.split(".").map(Number), 8);
  if (!/^[0-9a-f:]+$/i.test(address) || !address.includes(":")) return undefined;
  const [left = "", right] = address.split("::");
  const words = (text: string) => (text === "" ? [] : text.split(":").map((word) => Number.parseInt(word, 16)));
  const [before, after] = [words(left), words(right ?? "")];
  const zeros = 8 - before.length - after.length;
  return binary([...before, ...Array<number>(Math.max(0, zeros)).fill(0), ...after], 16);
}

const binary = (parts: readonly number[], size: number): string =>
  parts.map((part) => part.toString(2).padStart(size, "0")).join("");
