/** Shorter texts are not replaced: they would match by chance, and no credential is that short. */
const SHORTEST = 6;

/**
 * How a secret may be written: plain, URL-encoded, JSON-escaped, hex, and base64 of either alphabet, on its own or (in each
 * of the three alignments) inside of more.
 */
export function formsOf(secret: string): Set<string> {
  const bytes = Buffer.from(secret, "utf8");
  const inside = [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    // The first and the last characters depend on what stands around it.
    return encoded.slice(offset === 0 ? 0 : offset + 1, (offset + bytes.length) % 3 === 0 ? undefined : -1);
  });
  const base64 = [bytes.toString("base64").replace(/=+$/, ""), ...inside];
  return new Set([
    secret,
    encodeURIComponent(bytes.toString("utf8")),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString("hex"),
    ...base64,
    ...base64.map((form) => form.replaceAll("+", "-").replaceAll("/", "_")),
  ]);
}

/** Replaces every given secret in a text, in each of its {@link formsOf}. Every log line, error and report passes through here. */
export function redact(text: string, secrets: Iterable<string>): string {
  const forms = new Set(
    [...secrets].filter(({ length }) => length >= SHORTEST).flatMap((secret) => [...formsOf(secret)]),
  );
  // The longest first: a secret that contains another must not leave its rest behind.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return ordered.reduce((result, form) => result.replaceAll(form, "[secret]"), text);
}

const SECRET_KEY =
  /^(password|connectionPasswords|passphrase|privateKey|token|secretKey|secret|keyId|value|verifier|adopted|slackWebhook)$/i;

/**
 * Every text that stands under a key which names a credential, however deep. What says `public: true` of itself holds
 * none: a role's name is kept in the store like a password, and without it no message could say who cannot log in.
 */
export function secretsIn(value: unknown, underSecretKey = false): string[] {
  if (typeof value === "string") return underSecretKey ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((item) => secretsIn(item, underSecretKey));
  if (typeof value !== "object" || value === null) return [];
  if ("public" in value && value.public === true) return [];
  return Object.entries(value).flatMap(([key, item]) => secretsIn(item, underSecretKey || SECRET_KEY.test(key)));
}
