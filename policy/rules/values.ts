/** Shorter values would be found in any text. */
const SHORTEST = 8;

/**
 * Keys of a JSON document whose value is a secret: those that a step of the program marks as one (a test compares them), and
 * usual names for commands of others.
 */
export const SECRET_KEY =
  /^(value|password|secret|secretkey|keyid|secretid|token|privatekey|passphrase|salt|fingerprintkey|values)$/i;

/** Every text in a value, however deep. */
export function leavesOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(leavesOf);
  if (typeof value === "object" && value !== null) return Object.values(value).flatMap(leavesOf);
  return [];
}

/** The secrets that a resource holds, as far as they are known (in a preview new ones are not). */
export function secretsOf(type: string, props: Readonly<Record<string, unknown>>): string[] {
  return candidates(type, props).filter((secret) => secret.length >= SHORTEST);
}

function candidates(type: string, props: Readonly<Record<string, unknown>>): string[] {
  switch (type) {
    case "random:index/randomPassword:RandomPassword":
      return leavesOf(props.result);
    case "postgresql:index/role:Role":
      return leavesOf(props.password);
    case "aws:secretsmanager/secretVersion:SecretVersion":
      return leavesOf(props.secretString);
    case "vault:kv/secretV2:SecretV2":
      return secretLeaves(parsed(props.dataJson));
    case "command:local:Command":
    case "command:remote:Command":
      return [...secretLeaves(parsed(props.stdin)), ...secretLeaves(props.connection)];
    default:
      return [];
  }
}

/** The texts below keys that name a secret; an object with `public: true` has none. */
function secretLeaves(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(secretLeaves);
  if (typeof value !== "object" || value === null || ("public" in value && value.public === true)) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    key === "values"
      ? leavesOf(item)
      : typeof item !== "string"
        ? secretLeaves(item)
        : SECRET_KEY.test(key)
          ? [item]
          : [],
  );
}

function parsed(text: unknown): unknown {
  if (typeof text !== "string") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
