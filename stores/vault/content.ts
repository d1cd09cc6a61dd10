import { jsonMembers, jsonObject } from "../../core/json-members";
import { type Content, typeName, whereabouts } from "../../core/store-content";

/** The key of a Vault document that services read. */
export const VALUE_KEY = "value";

/** The key that marks values as belonging together, so that a reader never takes half a pair. */
const GENERATION_KEY = "generation";

/** Earlier versions of this program wrote it on a rollback; the next write removes it. */
const FORMER_KEYS = ["request"];

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

/**
 * The document with our keys set and all others unchanged, byte for byte.
 *
 * @param data the text of the document as it was read; undefined, or `null`, if there is none.
 * @param generation set if the value belongs to a pair.
 */
export function mergedVaultData(data: string | undefined, value: string, generation: number | undefined): string {
  const members = data === undefined || data.trim() === "null" ? new Map<string, string>() : jsonMembers(data);
  for (const key of FORMER_KEYS) members.delete(key);
  members.set(VALUE_KEY, JSON.stringify(value));
  if (generation !== undefined) members.set(GENERATION_KEY, JSON.stringify(String(generation)));
  return jsonObject(members);
}
