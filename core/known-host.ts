import { createHmac } from "node:crypto";

/** A line of known_hosts, or the key alone. */
export interface KnownHost {
  readonly marker?: "cert-authority" | "revoked";
  /** The names that the line is for, as known_hosts has them; undefined: any. */
  readonly names?: string;
  readonly type: string;
  /** The key in base64. */
  readonly key: string;
}

/** By which names a host is known. */
export interface HostNames {
  readonly address: string;
  readonly port: number;
  readonly hostKeyAlias?: string | undefined;
}

const isType = (word: string) => /^(ssh|ecdsa|sk)-/.test(word);

/** The parts of `[@MARKER] [NAMES] TYPE KEY [COMMENT]`; undefined if there is no key in it. */
export function knownHost(text: string): KnownHost | undefined {
  const words = text.trim().split(/\s+/);
  const marker = words[0]?.startsWith("@") ? words.shift()?.slice(1) : undefined;
  if (marker !== undefined && marker !== "cert-authority" && marker !== "revoked") return undefined;
  const names = isType(words[0] ?? "") ? undefined : words.shift();
  const [type = "", key = ""] = words;
  if (!isType(type) || key === "") return undefined;
  return { ...(marker === undefined ? {} : { marker }), ...(names === undefined ? {} : { names }), type, key };
}

/** The name that a host's certificate must have, as OpenSSH has it. */
export const certifiedName = ({ address, hostKeyAlias }: HostNames): string => (hostKeyAlias ?? address).toLowerCase();

/** Whether a line is for a host: its names are patterns (`*`, `?`, `!`), `[NAME]:PORT`, or hashed. */
export function isForHost({ names }: KnownHost, host: HostNames): boolean {
  if (names === undefined) return true;
  const name = certifiedName(host);
  const known = host.hostKeyAlias === undefined ? [name, `[${name}]:${host.port}`] : [name];
  if (names.startsWith("|1|")) return known.some((name) => isHashOf(names, name));
  const patterns = names.toLowerCase().split(",");
  const some = (chosen: readonly string[]) => chosen.some((one) => known.some((name) => fits(one, name)));
  const isNegated = (one: string) => one.startsWith("!");
  if (some(patterns.filter(isNegated).map((one) => one.slice(1)))) return false;
  return some(patterns.filter((one) => !isNegated(one)));
}

function isHashOf(names: string, name: string): boolean {
  const [, , salt = "", hash = ""] = names.split("|");
  return createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === hash;
}

/** A pattern of OpenSSH: `*` is any text, `?` one character. */
export function fits(pattern: string, text: string): boolean {
  const form = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*+/g, ".*")
    .replace(/\?/g, ".");
  return new RegExp(`^${form}$`, "s").test(text);
}
