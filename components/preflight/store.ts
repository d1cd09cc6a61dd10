import { StepError } from "../../core/errors";
import type { StoreClient, StoredValue, StoreEntry } from "../../stores/store";
import { describe, isForeign } from "../../stores/write-entry";

/**
 * In every mode: the content of the paths has a shape that this program reads and writes.
 *
 * @param expected what the paths may hold if the value in use is not known; undefined if it is known.
 * @param whenForeign what to do if they hold something else.
 */
export async function checkDocuments(
  store: StoreClient,
  paths: readonly string[],
  expected: readonly StoreEntry[] | undefined,
  whenForeign: string,
): Promise<void> {
  const found = await Promise.all(paths.map(async (path) => ({ path, stored: await store.read(path) })));
  const odd = found.flatMap(({ path, stored }) =>
    stored?.content.kind === "unusable" ? [`${describe(path, stored)}: ${store.advice(path)}`] : [],
  );
  if (odd.length > 0) throw new StepError(odd.join("; "));
  if (expected === undefined) return;
  const valuesOf = (path: string) => expected.filter((entry) => entry.path === path).map(({ value }) => value);
  const there = found.flatMap(({ path, stored }) =>
    isForeign(stored, valuesOf(path)) ? [describe(path, stored)] : [],
  );
  if (there.length > 0)
    throw new StepError(`the store holds a value that this stack does not know: ${there.join("; ")}. ${whenForeign}`);
}

/**
 * The store holds the value that is about to become the previous one: a rollback finds it there too.
 *
 * @param whenForeign what to do if it holds another one.
 */
export async function checkCurrentValue(
  store: StoreClient,
  entries: readonly StoreEntry[],
  whenForeign: string,
): Promise<string> {
  const found = await compare(store, entries);
  const wrong = found.filter(({ known }) => !known);
  if (wrong.length === 0) return found.map(({ path, stored }) => `${path} version ${stored?.version}`).join(", ");
  const texts = wrong.map(({ path, stored }) => {
    if (stored === undefined) return `${path} is not in the store`;
    if (stored.content.kind === "empty") return `${path} holds nothing (${stored.content.why})`;
    return `${describe(path, stored)}, is not what this stack wrote`;
  });
  throw new StepError(`${texts.join("; ")}. ${whenForeign}`);
}

/**
 * No path has an external write: each is empty or holds one of its known values. Checked right before a change.
 *
 * @param whenForeign what to do after an external write.
 */
export async function checkUnchanged(
  store: StoreClient,
  known: readonly StoreEntry[],
  whenForeign: string,
): Promise<string> {
  const foreign = await foreignOf(store, known);
  if (foreign.length === 0) return "no external write";
  throw new StepError(`external write to ${foreign.join("; ")}. ${whenForeign}`);
}

/** The external writes that a request says to overwrite. Never fails for them. */
export async function overwrittenValues(store: StoreClient, known: readonly StoreEntry[]): Promise<string> {
  const foreign = await foreignOf(store, known);
  return foreign.length === 0 ? "nothing is overwritten" : `overwrites ${foreign.join("; ")}`;
}

async function foreignOf(store: StoreClient, known: readonly StoreEntry[]): Promise<string[]> {
  const found = await compare(store, known);
  return found.flatMap(({ path, stored, values }) => (isForeign(stored, values) ? [describe(path, stored)] : []));
}

interface Compared {
  readonly path: string;
  readonly stored: StoredValue | undefined;
  /** The values given for the path, and whether it holds one of them. */
  readonly values: readonly string[];
  readonly known: boolean;
}

/** Each path once. */
function compare(store: StoreClient, entries: readonly StoreEntry[]): Promise<Compared[]> {
  const paths = [...new Set(entries.map(({ path }) => path))];
  return Promise.all(
    paths.map(async (path) => {
      const stored = await store.read(path);
      const values = entries.filter((entry) => entry.path === path).map(({ value }) => value);
      return { path, stored, values, known: stored?.value !== undefined && values.includes(stored.value) };
    }),
  );
}
