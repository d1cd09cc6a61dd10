/** What a store holds at a path, as far as this program understands it. No text in it carries a value. */
export type Content =
  /** A text in the place where this program reads it. */
  | { readonly kind: "value"; readonly value: string; readonly generation: string | undefined }
  /** Nothing that a write could lose. `why` says in which way. */
  | { readonly kind: "empty"; readonly why: string }
  /** Something that this program did not write and cannot read. `why` says what, and in which key the credential may be. */
  | { readonly kind: "unusable"; readonly why: string };

/** Usual names of keys with a credential, for the message. */
const LIKELY = /^(value|pass(word|wd)?|pwd|pw|secret(_?(value|key))?|(api_?)?key(_?id)?|(api_)?secret_key|token)$/i;

/** Our marks merged with those of others: ours are set, ours that are obsolete go, theirs stay. `null` removes one. */
export function changedMarks(
  found: Readonly<Record<string, string>>,
  says: Readonly<Record<string, string>>,
): Record<string, string | null> {
  const gone = OWN_MARKS.filter((name) => name in found && !(name in says));
  return Object.fromEntries([
    ...Object.entries(says).filter(([name, text]) => found[name] !== text),
    ...gone.map((name) => [name, null]),
  ]);
}

/** Every mark that this program sets beside a value. */
const OWN_MARKS = [
  "rotation_date",
  "status",
  "generation",
  "previous_generation",
  "deprecated_version",
  "deprecated_label",
  "grace_until",
];

/** The keys that seem to hold a credential, by their names. */
export const likelyKeys = (keys: readonly string[]): string[] => keys.filter((key) => LIKELY.test(key));

/** The key of a document that seems to hold the credential, by its name. */
export function whereabouts(keys: readonly string[]): string {
  const likely = likelyKeys(keys);
  const all = keys.map((key) => `\`${key}\``).join(", ");
  if (likely.length === 1) return `it is there under the key \`${likely[0]}\` (keys: ${all})`;
  return keys.length === 0 ? "an empty object" : `it has the keys ${all}`;
}

/** What a value is, for a message that must not show it. */
export const typeName = (value: unknown) =>
  value === null
    ? "null"
    : Array.isArray(value)
      ? "an array"
      : typeof value === "object"
        ? "an object"
        : `a ${typeof value}`;
