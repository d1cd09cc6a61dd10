import { createHash } from "node:crypto";

/** An ACL user, as `ACL GETUSER` answers. */
export interface AclUser {
  /** Whether it may log in. */
  readonly on: boolean;
  /** Whether any password logs in. */
  readonly nopass: boolean;
  /** The SHA-256 of each of its passwords, in hex. */
  readonly passwords: readonly string[];
}

/** What Redis keeps of a password, and takes as `#hash` and `!hash`: SHA-256, in hex. */
export const passwordHash = (password: string): string => createHash("sha256").update(password, "utf8").digest("hex");

/** A name for a password that reveals nothing of it to people who see it: the beginning of its hash. */
export const shortHash = (hash: string): string => hash.slice(0, 8);

/**
 * Reads the answer of `ACL GETUSER`: a flat list of names and values. Redis 6 and 7 differ in the names after `passwords`.
 *
 * @returns undefined if there is no such user
 * @throws Error if it is something else
 */
export function parseUser(reply: unknown): AclUser | undefined {
  if (reply === null || reply === undefined) return undefined;
  const fields = pairsIn(reply);
  const [flags, passwords] = [fields?.get("flags"), fields?.get("passwords")];
  if (!isTexts(flags) || !isTexts(passwords)) throw new Error("ACL GETUSER answered without flags and passwords");
  return { on: flags.includes("on"), nopass: flags.includes("nopass"), passwords };
}

/** The fields of an answer: a flat list of names and values, or an object. Undefined for anything else. */
export function pairsIn(reply: unknown): ReadonlyMap<string, unknown> | undefined {
  if (typeof reply !== "object" || reply === null) return undefined;
  if (!Array.isArray(reply)) return new Map(Object.entries(reply));
  return new Map(reply.flatMap((key, index) => (index % 2 === 0 ? [[String(key), reply[index + 1]] as const] : [])));
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");

/** A line of `ACL LIST` and of an ACL file: `user app on #3fa9... ~* +@all`. @returns undefined for another line */
export function parseAclLine(line: string): (AclUser & { readonly name: string }) | undefined {
  const [word, name, ...rules] = line.trim().split(/\s+/);
  if (word !== "user" || name === undefined) return undefined;
  // Rules act in their order: `resetpass` and `nopass` drop what was before, a password ends `nopass`.
  let user: AclUser = { on: false, nopass: false, passwords: [] };
  for (const rule of rules) user = applied(user, rule);
  return { name, ...user };
}

function applied(user: AclUser, rule: string): AclUser {
  switch (rule) {
    case "on":
      return { ...user, on: true };
    case "off":
      return { ...user, on: false };
    case "nopass":
      return { ...user, nopass: true, passwords: [] };
    case "resetpass":
    case "reset":
      return { on: rule === "reset" ? false : user.on, nopass: false, passwords: [] };
    default:
      return withPassword(user, rule);
  }
}

function withPassword(user: AclUser, rule: string): AclUser {
  const hash = /^[#!][\da-f]{64}$/.test(rule) ? rule.slice(1) : undefined;
  if (hash === undefined) return user;
  const others = user.passwords.filter((password) => password !== hash);
  return rule.startsWith("#")
    ? { ...user, nopass: false, passwords: [...others, hash] }
    : { ...user, passwords: others };
}

/**
 * The rules that bring a user from its passwords to ours: those that are missing are added, those that are over are removed.
 * All others stay. Empty if there is nothing to do: Redis refuses to remove a password that is not there.
 */
export function passwordRules(
  passwords: readonly string[],
  { add, remove }: { readonly add: readonly string[]; readonly remove: readonly string[] },
): string[] {
  return [
    ...unique(add)
      .filter((hash) => !passwords.includes(hash))
      .map((hash) => `#${hash}`),
    ...unique(remove)
      .filter((hash) => passwords.includes(hash) && !add.includes(hash))
      .map((hash) => `!${hash}`),
  ];
}

const unique = <T>(list: readonly T[]): T[] => [...new Set(list)];

/** What a slot's password must be among those of the user. All are hashes. */
export interface SlotWish {
  /** The slot's password; undefined if the stack does not know it. */
  readonly own: string | undefined;
  /** What was put there for the slot the last time; undefined if nothing was. */
  readonly before: string | undefined;
  /** Whether the slot's password may be used. */
  readonly valid: boolean;
  /** Passwords of the other slot. */
  readonly keep: readonly string[];
}

/** What is added and removed for a slot: it has one password, so the one from before goes. */
export function slotChange({ own, before, valid, keep }: SlotWish): {
  readonly add: string[];
  readonly remove: string[];
} {
  const over = valid ? [before] : [before, own];
  return {
    add: valid && own !== undefined ? [own] : [],
    // A password that is not known stays while it may be used.
    remove: unique(over.filter((hash) => hash !== undefined)).filter(
      (hash) => !keep.includes(hash) && !(valid && (own === undefined || hash === own)),
    ),
  };
}

/** A connection, as `CLIENT LIST` shows it. */
export interface RedisConnection {
  /** Grows with each connection of the server. */
  readonly id: number;
  readonly user: string;
  /** Its name, else its library; empty if it gives neither. */
  readonly name: string;
  /** The client's address, without its port. */
  readonly from: string;
  /** Seconds since it was opened. */
  readonly age: number;
}

/** Reads the answer of `CLIENT LIST`: a line for each connection. Lines that lack what is needed are left out. */
export function parseConnections(text: string): RedisConnection[] {
  return text.split("\n").flatMap((line) => {
    const fields = new Map(
      line
        .trim()
        .split(" ")
        .map((field) => [field.slice(0, field.indexOf("=")), field.slice(field.indexOf("=") + 1)] as const),
    );
    const [id, age, user] = [Number(fields.get("id")), Number(fields.get("age")), fields.get("user")];
    if (user === undefined || !Number.isInteger(id) || !Number.isFinite(age)) return [];
    const from = (fields.get("addr") ?? "").replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
    return [{ id, user, age, from, name: fields.get("name") || fields.get("lib-name") || "" }];
  });
}

/** Reads the answer of `INFO`: `name:value` lines. */
export const parseInfo = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text.split(/\r?\n/).flatMap((line) => {
      const at = line.indexOf(":");
      return line.startsWith("#") || at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const];
    }),
  );
