import { StepError } from "../run-step";
import type { StoreClient, StoredValue, StoreEntry } from "../store";

/**
 * The store holds the value that is about to become the previous one: a rollback finds it there too.
 *
 * @param whenForeign what to do where it holds another one.
 */
export async function checkCurrentValue(
  store: StoreClient,
  entries: readonly StoreEntry[],
  whenForeign: string,
): Promise<string> {
  const found = await compare(store, entries);
  const wrong = found.filter(({ known }) => !known);
  if (wrong.length === 0) return found.map(({ path, stored }) => `${path} version ${stored?.version}`).join(", ");
  const texts = wrong.map(({ path, stored }) =>
    stored === undefined ? `${path} is not in the store` : `${describe(path, stored)}, is not what this stack wrote`,
  );
  throw new StepError(`${texts.join("; ")}. ${whenForeign}`);
}

/**
 * Nobody else wrote any of the paths: each is empty or holds one of the values that are known for it. Asked right before
 * a change.
 *
 * @param whenForeign what to do where somebody did.
 */
export async function checkUnchanged(
  store: StoreClient,
  known: readonly StoreEntry[],
  whenForeign: string,
): Promise<string> {
  const foreign = (await compare(store, known)).filter((entry) => !entry.known && entry.stored !== undefined);
  if (foreign.length === 0) return "nobody else wrote";
  const texts = foreign.map(({ path, stored }) => (stored === undefined ? path : describe(path, stored)));
  throw new StepError(`somebody else wrote ${texts.join("; ")}. ${whenForeign}`);
}

/** What somebody else wrote and a request says to overwrite. Never fails for it. */
export async function overwrittenValues(store: StoreClient, known: readonly StoreEntry[]): Promise<string> {
  const found = await compare(store, known);
  const foreign = found.flatMap(({ path, stored, known: ours }) => (stored && !ours ? [describe(path, stored)] : []));
  return foreign.length === 0 ? "nothing is overwritten" : `overwrites ${foreign.join("; ")}`;
}

interface Compared {
  readonly path: string;
  readonly stored: StoredValue | undefined;
  readonly known: boolean;
}

/** Each path once, with whether it holds one of the values given for it. */
function compare(store: StoreClient, entries: readonly StoreEntry[]): Promise<Compared[]> {
  const paths = [...new Set(entries.map(({ path }) => path))];
  return Promise.all(
    paths.map(async (path) => {
      const stored = await store.read(path);
      return { path, stored, known: entries.some((entry) => entry.path === path && entry.value === stored?.value) };
    }),
  );
}

const describe = (path: string, { version, writtenAt }: StoredValue) =>
  `${path}: version ${version}, written ${writtenAt}`;
