import { StepError } from "../../core/errors";
import { flawOf, isForeign, isOfEntry, keysOf } from "../../stores/entries";
import type { StoreClient, StoredValue, StoreEntry } from "../../stores/store";
import { describe } from "../../stores/write-entry";

/** The keys of a document that are ours, by its path; a path that is not in it has one value. */
export type DocumentKeys = Readonly<Record<string, readonly string[]>>;

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
  documents: DocumentKeys = {},
): Promise<void> {
  const found = await Promise.all(
    paths.map(async (path) => ({ path, keys: documents[path], stored: await store.read(path) })),
  );
  const odd = found.flatMap(({ path, keys, stored }) =>
    stored !== undefined && flawOf(stored, keys)?.kind === "unusable"
      ? [`${describe(path, stored, keys)}: ${store.advice(path, keys)}`]
      : [],
  );
  if (odd.length > 0) throw new StepError(odd.join("; "));
  if (expected === undefined) return;
  const there = found.flatMap(({ path, keys, stored }) =>
    isForeign(stored, entriesAt(expected, path), keys) ? [describe(path, stored, keys)] : [],
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
  const texts = wrong.map(({ path, keys, stored }) => {
    if (stored === undefined) return `${path} is not in the store`;
    const flaw = flawOf(stored, keys);
    if (flaw?.kind === "empty") return `${path} holds nothing (${flaw.why})`;
    return `${describe(path, stored, keys)}, is not what this stack wrote`;
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

/** What may be overwritten, and what to do after an external write. */
interface Guard {
  readonly known: readonly StoreEntry[];
  /** Whether a request says to overwrite an external write. */
  readonly force: boolean;
  readonly whenForeign: string;
}

/** Right before a change: {@link checkUnchanged}, or what a request says to overwrite, which the audit row says then. */
export async function lookAgain(store: StoreClient, { known, force, whenForeign }: Guard) {
  if (!force) return { found: await checkUnchanged(store, known, whenForeign), overrides: [] };
  const found = await overwrittenValues(store, known);
  return { found, overrides: [`force: ${found}`] };
}

async function foreignOf(store: StoreClient, known: readonly StoreEntry[]): Promise<string[]> {
  const found = await compare(store, known);
  return found.flatMap(({ path, keys, stored, expected }) =>
    isForeign(stored, expected, keys) ? [describe(path, stored, keys)] : [],
  );
}

interface Compared {
  readonly path: string;
  readonly stored: StoredValue | undefined;
  readonly keys: readonly string[] | undefined;
  /** The entries given for the path, and whether it holds one of them. */
  readonly expected: readonly StoreEntry[];
  readonly known: boolean;
}

/** Each path once. */
function compare(store: StoreClient, entries: readonly StoreEntry[]): Promise<Compared[]> {
  const paths = [...new Set(entries.map(({ path }) => path))];
  return Promise.all(
    paths.map(async (path) => {
      const stored = await store.read(path);
      const expected = entriesAt(entries, path);
      const keys = expected[0] && keysOf(expected[0]);
      return { path, keys, stored, expected, known: expected.some((entry) => isOfEntry(stored, entry)) };
    }),
  );
}

const entriesAt = (entries: readonly StoreEntry[], path: string) => entries.filter((entry) => entry.path === path);
