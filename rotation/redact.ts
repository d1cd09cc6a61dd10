/** Shorter texts are not replaced: they would match by chance, and no credential is that short. */
const SHORTEST = 6;

/**
 * Replaces every given secret in a text, in plain, URL-encoded, base64 (any alignment of the whole value) and
 * JSON-escaped form. Every log line, error and report passes through here.
 */
export function redact(text: string, secrets: Iterable<string>): string {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < SHORTEST) continue;
    forms.add(secret);
    forms.add(encodeURIComponent(secret));
    forms.add(JSON.stringify(secret).slice(1, -1));
    forms.add(Buffer.from(secret, "utf8").toString("base64").replace(/=+$/, ""));
    forms.add(Buffer.from(secret, "utf8").toString("base64url"));
  }
  // The longest first: a secret that contains another must not leave its rest behind.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return ordered.reduce((result, form) => result.replaceAll(form, "[secret]"), text);
}

const SECRET_KEY =
  /^(password|connectionPasswords|passphrase|privateKey|token|secretKey|secret|keyId|value|verifier|adopted)$/i;

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
