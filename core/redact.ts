/** Shorter texts would match by chance inside others: they are replaced only as whole words. */
const SHORTEST = 6;

/** A line of a multi-line text that is no credential by itself: too short, or a key's frame. */
const FRAME = /^.{0,15}$|^-----/;

/**
 * The forms of a secret: plain, URL-encoded (in three ways), JSON-escaped, quoted for SQL or a shell, hex, and base64 of
 * either alphabet, on its own or (in each of the three alignments) inside a longer text.
 */
export function formsOf(secret: string): Set<string> {
  const bytes = Buffer.from(secret, "utf8");
  const inside = [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    // The first and the last characters depend on the surrounding text.
    return encoded.slice(offset === 0 ? 0 : offset + 1, (offset + bytes.length) % 3 === 0 ? undefined : -1);
  });
  const base64 = [bytes.toString("base64").replace(/=+$/, ""), ...inside];
  const url = encodeURIComponent(bytes.toString("utf8"));
  const strict = url.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  const lower = (text: string) => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
  const urls = [url, strict].flatMap((form) => [form, lower(form), form.replaceAll("%20", "+")]);
  const hex = bytes.toString("hex");
  return new Set([
    secret,
    ...urls,
    JSON.stringify(secret).slice(1, -1),
    secret.replaceAll("'", "''"),
    secret.replaceAll("'", `'\\''`),
    hex,
    hex.toUpperCase(),
    ...base64,
    ...base64.map((form) => form.replaceAll("+", "-").replaceAll("/", "_")),
  ]);
}

/** A secret and, if it has several lines (a private key), each line. */
const withLines = (secret: string): string[] =>
  secret.includes("\n") ? [secret, ...secret.split(/\r?\n/).filter((line) => !FRAME.test(line))] : [secret];

/** A regular expression that matches exactly this text. */
const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");

/** Matches a short secret as a whole word only. */
const alone = (text: string) => `(?<![A-Za-z0-9])${literal(text)}(?![A-Za-z0-9])`;

/**
 * Replaces every given secret in a text, in each of its {@link formsOf}. Every log line, error and report passes through
 * here. One of less than six characters is replaced as a whole word, not inside other words.
 */
export function redact(text: string, secrets: Iterable<string>): string {
  const given = [...new Set([...secrets].flatMap(withLines))].filter((secret) => secret !== "");
  const short = given.filter(({ length }) => length < SHORTEST);
  const forms = new Set(given.flatMap((secret) => [...formsOf(secret)]).filter(({ length }) => length >= SHORTEST));
  if (forms.size + short.length === 0) return text;
  // The longest first: otherwise the rest of a secret that contains another would remain.
  const ordered = [...forms].sort((a, b) => b.length - a.length).map(literal);
  return text.replace(new RegExp([...ordered, ...short.map(alone)].join("|"), "g"), "[secret]");
}

/** {@link redact} for each text in a value; keys and numbers are the program's own. */
export function redactIn(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === "string") return redact(value, secrets);
  if (Array.isArray(value)) return value.map((item) => redactIn(item, secrets));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactIn(item, secrets)]));
}
