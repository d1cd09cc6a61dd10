import type { Config } from "../config";
import { activeGeneration, type SecretState } from "../core/state";
import { storeClient } from "../stores";
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
  const found = await Promise.all(
    entries.map(async ({ path, value }) => ({ path, value, held: await stored(config, path) })),
  );
  const wrong = found.filter(({ value, held }) => held?.value !== value);
  if (wrong.length > 0) {
    const texts = wrong.map(
      ({ path, held }) =>
        `${path} ${held === undefined ? "is missing" : `holds another value (version ${held.version}${oddWords(held)})`}`,
    );
    throw new Error(`${texts.join("; ")}; \`rotation diagnose\` says what to do`);
  }
  return found.map(({ path, held }) => `${path} version ${held?.version}`).join(", ");
}

/** Writes the values that the store should already hold, marked as a rotation marks them. */
export async function writeBack(config: Reach, entries: readonly StoreEntry[], state: SecretState): Promise<void> {
  const client = storeClient(storeOf(config));
  const pair = entries.length > 1 ? { generation: activeGeneration(state), slot: state.active } : undefined;
  for (const entry of entries) {
    const found = await client.read(entry.path);
    if (found?.content.kind === "unusable")
      throw new Error(`${describe(entry.path, found)}: ${client.advice(entry.path)}`);
    // The content from the finding that is being fixed is overwritten; anything written after it is not.
    const known = found?.value === undefined ? [] : [found.value];
    await writeEntry(client, {
      entry,
      pair,
      known,
      force: false,
      whenForeign: "Nothing was overwritten: run this again",
    });
  }
}
