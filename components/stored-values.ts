import type { Config } from "../config";
import { activeGeneration, type SecretState } from "../core/state";
import { storeClient } from "../stores";
import { asFound, flawOf, holdsEntry, isDocument, keysOf, pairOf } from "../stores/entries";
import { type StoreReference, schemaOf } from "../stores/schemas";
import type { StoredValue, StoreEntry } from "../stores/store";
import { describe, oddWords, writeEntry } from "../stores/write-entry";

type Reach = Pick<Config, "store" | "environment">;

/** How the store of a stack is reached. */
export const storeOf = ({ store, environment }: Reach): StoreReference =>
  schemaOf(store).referenceOf(store, environment);

/** What the store holds at a path; undefined if there is nothing. */
export const stored = (config: Reach, path: string): Promise<StoredValue | undefined> =>
  storeClient(storeOf(config)).read(path);

/** The versions of what the store holds. @throws Error that names each path with another value; never a value */
export async function sameAsStored(config: Reach, entries: readonly StoreEntry[]): Promise<string> {
  const found = await Promise.all(entries.map(async (entry) => ({ entry, held: await stored(config, entry.path) })));
  const wrong = found.filter(({ entry, held }) => !holdsEntry(held, entry));
  if (wrong.length > 0) {
    const texts = wrong.map(({ entry, held }) => `${entry.path} ${differenceWords(held, entry)}`);
    throw new Error(`${texts.join("; ")}; \`rotation diagnose\` says what to do`);
  }
  return found.map(({ entry: { path }, held }) => `${path} version ${held?.version}`).join(", ");
}

/** How the store differs from an entry: versions and keys, never a value. */
function differenceWords(held: StoredValue | undefined, entry: StoreEntry): string {
  if (held === undefined) return "is missing";
  return `holds another value${differentWords(held, entry)} (version ${held.version}${oddWords(held, keysOf(entry))})`;
}

/** The keys of a document that differ from an entry, in words. */
export function differentWords(held: StoredValue, entry: StoreEntry): string {
  if (!isDocument(entry) || held.document === undefined) return "";
  const { path, fields } = entry;
  const keys = Object.keys(fields).filter((key) => {
    const field = fields[key];
    return field !== undefined && !holdsEntry(held, { path, fields: { [key]: field } });
  });
  return keys.length === 0 ? "" : ` under ${keys.map((key) => `\`${key}\``).join(", ")}`;
}

/** Writes the values that the store should already hold, marked as a rotation marks them. */
export async function writeBack(config: Reach, entries: readonly StoreEntry[], state: SecretState): Promise<void> {
  const client = storeClient(storeOf(config));
  for (const entry of entries) {
    const found = await client.read(entry.path);
    const keys = keysOf(entry);
    if (found !== undefined && flawOf(found, keys)?.kind === "unusable")
      throw new Error(`${describe(entry.path, found, keys)}: ${client.advice(entry.path, keys)}`);
    // The content from the finding that is being fixed is overwritten; anything written after it is not.
    const there = asFound(found, entry);
    await writeEntry(client, {
      entry,
      pair: pairOf(entries, entry, { generation: activeGeneration(state), slot: state.active }),
      known: there === undefined ? [] : [there],
      force: false,
      whenForeign: "Nothing was overwritten: run this again",
    });
  }
}
