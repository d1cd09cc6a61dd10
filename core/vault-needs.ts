/** A capability of a Vault policy; a list means any one of its members. */
export type Need = string | readonly string[];

/** What a token needs, by path of the API. */
export type Needs = Readonly<Record<string, readonly Need[]>>;

/** What is missing according to `sys/capabilities-self`; undefined if nothing is. */
export function lackingCapabilities(
  needs: Needs,
  has: Readonly<Record<string, readonly string[] | undefined>>,
): string | undefined {
  const lacking = Object.entries(needs).flatMap(([path, needed]) => {
    const granted = has[path] ?? [];
    const missing = needed.map((need) => [need].flat()).filter((any) => !any.some((one) => granted.includes(one)));
    if (missing.length === 0 || granted.includes("root")) return [];
    const found = granted.length === 0 ? "nothing" : granted.join(", ");
    return [`${missing.map((any) => any.join(" or ")).join(", ")} ${path} (it has: ${found})`];
  });
  if (lacking.length === 0) return undefined;
  return `the token may not ${lacking.join("; ")}; give its policy these capabilities`;
}

/**
 * Why a mount cannot be the store; undefined if it can.
 *
 * @param about what `sys/internal/ui/mounts/<mount>` says; undefined if it says nothing (403, 404).
 */
export function refusedMount(
  mount: string,
  about: { readonly type?: string; readonly options?: { readonly version?: string } | null } | undefined,
): string | undefined {
  if (about === undefined) {
    return (
      `Vault has no mount \`${mount}\`, or the token may read nothing in it: compare the config key store.mount with ` +
      "`vault secrets list`, and VAULT_NAMESPACE, if there are namespaces"
    );
  }
  const { type, options } = about;
  if (type !== "kv" && type !== "generic")
    return `the mount \`${mount}\` is of the type ${type}; expected kv, version 2: name another one in store.mount`;
  if (options?.version === "2") return undefined;
  return (
    `the mount \`${mount}\` is KV version 1, which keeps no versions; expected KV version 2. Upgrade it with ` +
    `\`vault kv enable-versioning ${mount}\` (services then read ${mount}/data/...), or name another mount in store.mount`
  );
}

/** What `auth/token/lookup-self` says of a token's life. */
export interface TokenFacts {
  /** Seconds; 0: it never ends. */
  readonly ttl?: number;
  /** Requests that are left; 0: no limit. */
  readonly num_uses?: number;
  readonly renewable?: boolean;
  /** The longest life that renewals can reach, in seconds; 0: no limit. */
  readonly explicit_max_ttl?: number;
}

/** Requests of one rotation, with a margin: preflight, writes, marks, and reading back. */
const REQUESTS = 100;

/**
 * Why a token does not last for a rotation; undefined if it does.
 *
 * @param seconds how long the rotation may take at the most.
 * @param ofRun whether the run got it by `store.auth`, so that only its role can give it a longer life.
 */
export function refusedToken(
  { ttl = 0, num_uses = 0, renewable = false, explicit_max_ttl = 0 }: TokenFacts,
  seconds: number,
  ofRun = false,
): string | undefined {
  if (num_uses !== 0 && num_uses < REQUESTS)
    return `the token may be used ${Math.max(0, num_uses)} more times; expected at least ${REQUESTS}: ${ofRun ? "set token_num_uses=0 on the role of store.auth" : "log in with one without -use-limit"}`;
  if (ttl === 0 || ttl >= seconds) return undefined;
  const minutes = Math.ceil(seconds / 60);
  const ends = `the token ends in ${lifeWords(ttl)}; expected at least ${minutes} minutes, which this rotation may take: `;
  if (ofRun) return `${ends}set token_ttl=${minutes}m (and token_max_ttl) on the role of store.auth`;
  const renew =
    renewable && (explicit_max_ttl === 0 || explicit_max_ttl >= seconds)
      ? `renew it (\`vault token renew -increment=${2 * minutes}m\`), or `
      : "";
  return `${ends}${renew}log in again`;
}

const lifeWords = (seconds: number) => (seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} minutes`);
