import { jsonMembers, jsonObject } from "./json-members";

/** What a store holds at a path, as far as this program understands it. No text in it carries a value. */
export type Content =
  /** A text where this program reads it. */
  | { readonly kind: "value"; readonly value: string; readonly generation: string | undefined }
  /** Nothing that a write could lose. `why` says in which way. */
  | { readonly kind: "empty"; readonly why: string }
  /** Something that this program did not write and cannot read. `why` says what, and where the credential seems to be. */
  | { readonly kind: "unusable"; readonly why: string };

/** The key of a Vault document that services read. */
export const VALUE_KEY = "value";

/** The key that values which belong together carry, so that a reader never takes half a pair. */
const GENERATION_KEY = "generation";

/** Earlier versions of this program wrote it on a rollback; it goes with the next write. */
const FORMER_KEYS = ["request"];

/** Names under which people keep a credential: what a message points to. */
const LIKELY =
  /^(value|pass(word|wd)?|pwd|pw|secret(_?(value|key))?|(api_?)?key(_?id)?|(api_)?secret_key|token|user(name)?)$/i;

/** What a Vault document holds. @param data the text of its `data`: an object, or `null` */
export function vaultContent(data: string): Content {
  const document: unknown = JSON.parse(data);
  if (typeof document !== "object" || document === null) return { kind: "empty", why: "it has no data" };
  const keys = Object.keys(document);
  const { value, generation } = document as Record<string, unknown>;
  if (typeof value === "string") {
    return { kind: "value", value, generation: generation === undefined ? undefined : String(generation) };
  }
  if (keys.length === 0) return { kind: "empty", why: "the document is empty" };
  if (VALUE_KEY in document) {
    return { kind: "unusable", why: `its key \`${VALUE_KEY}\` holds ${typeName(value)}; expected a text` };
  }
  return { kind: "unusable", why: `${whereabouts(keys)}; expected the key \`${VALUE_KEY}\`` };
}

/** What an AWS secret holds, whose whole text is the value. @param text undefined for binary data */
export function awsContent(text: string | undefined): Content {
  if (text === undefined) return { kind: "unusable", why: "it holds binary data; expected the bare text of the value" };
  const parsed = parse(text);
  if (typeof parsed !== "object" || parsed === null) return { kind: "value", value: text, generation: undefined };
  const found = Array.isArray(parsed) ? "it is a JSON array" : `it is JSON: ${whereabouts(Object.keys(parsed))}`;
  return { kind: "unusable", why: `${found}; expected the bare text of the value` };
}

/**
 * The document with our keys in it and all others as they were, byte for byte.
 *
 * @param data the text of the document as it was read; undefined, or `null`, where there is none.
 * @param generation set where the value belongs to a pair.
 */
export function mergedVaultData(data: string | undefined, value: string, generation: number | undefined): string {
  const members = data === undefined || data.trim() === "null" ? new Map<string, string>() : jsonMembers(data);
  for (const key of FORMER_KEYS) members.delete(key);
  members.set(VALUE_KEY, JSON.stringify(value));
  if (generation !== undefined) members.set(GENERATION_KEY, JSON.stringify(String(generation)));
  return jsonObject(members);
}

/** Marks of ours among those of others: ours are set, ours that are over go, theirs stay. `null` takes one away. */
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

function whereabouts(keys: readonly string[]): string {
  const likely = keys.filter((key) => LIKELY.test(key) && !/^user/i.test(key));
  const all = keys.map((key) => `\`${key}\``).join(", ");
  if (likely.length === 1) return `it is there under the key \`${likely[0]}\` (keys: ${all})`;
  return keys.length === 0 ? "an empty object" : `it has the keys ${all}`;
}

const typeName = (value: unknown) =>
  value === null
    ? "null"
    : Array.isArray(value)
      ? "an array"
      : typeof value === "object"
        ? "an object"
        : `a ${typeof value}`;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
