import { holdsFields, isOfFields, type KeptShape, mergedDocument, scalarAt } from "../core/document";
import type { DocumentConfig } from "../core/document-settings";
import { jsonMembers } from "../core/json-members";
import { likelyKeys, whereabouts } from "../core/store-content";
import type { DocumentEntry, StoredValue, StoreEntry } from "./store";

/** Whether an entry is keys of a document, and not the one value of its path. */
export const isDocument = <V>(entry: StoreEntry<V>): entry is DocumentEntry<V> => "fields" in entry;

/** Whether the store holds exactly this entry. */
export function holdsEntry(found: StoredValue | undefined, entry: StoreEntry): boolean {
  if (!isDocument(entry)) return found?.value !== undefined && found.value === entry.value;
  return found?.document !== undefined && holdsFields(found.document, entry.fields, entry.removed ?? []);
}

/** Whether what the store holds is this entry's, as a write of it, or the platform before this stack, left it. */
export function isOfEntry(found: StoredValue | undefined, entry: StoreEntry): boolean {
  if (!isDocument(entry)) return holdsEntry(found, entry);
  return found?.document !== undefined && isOfFields(found.document, entry.fields);
}

/** What is wrong with the content of a path, for a program that reads and writes it in one way. No text carries a value. */
export interface Flaw {
  /** `empty`: nothing that a write could lose. `unusable`: something that this program cannot read. */
  readonly kind: "empty" | "unusable";
  readonly why: string;
}

/** @param keys the keys of a document that are ours; undefined if the path has one value. */
export function flawOf({ content, document }: StoredValue, keys: readonly string[] | undefined): Flaw | undefined {
  if (keys === undefined) return content.kind === "value" ? undefined : content;
  if (content.kind === "empty") return content;
  const ours = keys.map((key) => `\`${key}\``).join(", ");
  if (document === undefined) {
    const why = `it holds no JSON document, but ${content.kind === "value" ? "a bare text" : "something else"}`;
    return { kind: "unusable", why: `${why}; expected one with the keys ${ours}` };
  }
  const there = [...jsonMembers(document).keys()];
  if (keys.some((key) => there.includes(key))) return undefined;
  const kind = likelyKeys(there).length > 0 ? "unusable" : "empty";
  return { kind, why: `${whereabouts(there)}; expected the keys ${ours}` };
}

/** The text at a key of a document, or the one value of a path. */
export function textAt(found: StoredValue | undefined, key: string | undefined): string | undefined {
  if (key === undefined) return found?.value;
  const value = found?.document === undefined ? undefined : scalarAt(found.document, key);
  return value === undefined ? undefined : String(value);
}

/** The entry with what the store holds in its place; undefined if it holds nothing there that can be read. */
export function asFound(found: StoredValue | undefined, entry: StoreEntry): StoreEntry | undefined {
  const { path } = entry;
  if (!isDocument(entry)) return found?.value === undefined ? undefined : { path, value: found.value };
  if (found?.document === undefined) return undefined;
  const { document } = found;
  const there = Object.keys(entry.fields).map((key) => [key, scalarAt(document, key)] as const);
  return {
    path,
    fields: Object.fromEntries(there.flatMap(([key, value]) => (value === undefined ? [] : [[key, { value }]]))),
  };
}

/** The keys of a document that are ours; undefined for an entry with one value. */
export const keysOf = <V>(entry: StoreEntry<V>): string[] | undefined =>
  isDocument(entry) ? Object.keys(entry.fields) : undefined;

/** Whether the path holds something that is none of these entries, which this stack knows. */
export function isForeign(
  found: StoredValue | undefined,
  known: readonly StoreEntry[],
  keys: readonly string[] | undefined,
): found is StoredValue {
  if (found === undefined || flawOf(found, keys)?.kind === "empty") return false;
  return !known.some((entry) => isOfEntry(found, entry));
}

/** The mark of an entry that is half of a pair; a document is whole by itself. */
export const pairOf = <V, P>(entries: readonly StoreEntry<V>[], entry: StoreEntry<V>, pair: P): P | undefined =>
  isDocument(entry) || entries.filter((one) => !isDocument(one)).length < 2 ? undefined : pair;

/**
 * The entries of the credential in use that the store must hold before an update: those of a shape that the config has just
 * got are not there yet.
 */
export const writtenBefore = <V>(
  entries: readonly StoreEntry<V>[],
  { format }: DocumentConfig,
  kept: KeptShape | undefined,
): StoreEntry<V>[] =>
  entries.filter((entry) => {
    if (kept === undefined) return !isDocument(entry) || format === "json";
    return isDocument(entry) ? kept.path === entry.path : kept.beside === true;
  });

/** The document after a write. */
export const written = (found: StoredValue | undefined, { fields, removed = [] }: DocumentEntry): string =>
  mergedDocument(found?.document, fields, removed);
