import { doubling, poll } from "../clients/poll";
import { messageOf, PassingError, StepError } from "../core/errors";
import { flawOf, holdsEntry, isDocument, isForeign, keysOf, pairOf } from "./entries";
import type { NewVersion, PairMark, StoreClient, StoredValue, StoreEntry } from "./store";

/** What is written, and what it may replace. */
export interface Wish {
  readonly entry: StoreEntry;
  readonly pair?: PairMark | undefined;
  /** The entries that this stack knows of the path: only they are overwritten. */
  readonly known: readonly StoreEntry[];
  /** Whether a request says to overwrite an external write. */
  readonly force: boolean;
  /** What to do after an external write; the end of the message. */
  readonly whenForeign: string;
}

export interface Written {
  readonly path: string;
  readonly version: string;
  /** Whether a version was written: false if the store held the value already. */
  readonly wrote: boolean;
  readonly warnings: readonly string[];
}

/** What is written to several paths, one after the other. */
export interface Wishes extends Omit<Wish, "entry"> {
  readonly entries: readonly StoreEntry[];
}

/**
 * {@link writeEntry} for each entry; the values among them get the mark of a pair. Nothing is written if a path cannot take
 * its document. What was written before a failure stays, and the next run finds it there.
 */
export async function writeEntries(client: StoreClient, { entries, pair, known, ...rest }: Wishes) {
  const wishes = entries.map((entry) => ({
    ...rest,
    entry,
    pair: pairOf(entries, entry, pair),
    known: known.filter(({ path }) => path === entry.path),
  }));
  for (const wish of wishes)
    if (isDocument(wish.entry)) assertDocument(client, wish, await client.read(wish.entry.path));
  const written: Written[] = [];
  for (const wish of wishes) {
    try {
      written.push(await writeEntry(client, wish));
    } catch (error) {
      throw written.length === 0 ? error : new StepError(`${messageOf(error)}${before(written)}`, { cause: error });
    }
  }
  return {
    entries: written.map(({ path, version }) => ({ path, version })),
    warnings: written.flatMap(({ warnings }) => warnings),
  };
}

/** What came before a failure, to be appended to its message; the store keeps it. */
function before(all: readonly Written[]): string {
  const written = all.flatMap(({ path, version, wrote }) => (wrote ? [`${path} version ${version}`] : []));
  const warnings = all.flatMap((one) => one.warnings);
  return written.length === 0 ? "" : `. Written before that: ${[written.join(", "), ...warnings].join("; ")}`;
}

/** How often a write is tried while others write too, and milliseconds until a written version must be readable. */
const TRIES = 8;
const READABLE = 30_000;

/**
 * Makes a value the one in use: reads the path, refuses an external write, writes our keys at the version that was read,
 * and reads until the new version is there. Writes nothing if the store holds the value.
 *
 * @throws StepError after an external write, or if the store never shows what was written
 */
export async function writeEntry(client: StoreClient, wish: Wish): Promise<Written> {
  const written = await poll(
    (tries) => tryEntry(client, wish, tries === TRIES),
    (made) => made !== undefined,
    // A standby may still answer with an older version than the one that a write is compared with.
    { every: (_, tries) => (tries === TRIES ? undefined : doubling(200, 3200, tries)) },
  );
  if (written !== undefined) return written;
  const { path } = wish.entry;
  throw new StepError(`${path}: ${TRIES} external writes came in between; nothing was written. Run it again`);
}

/** Reads and writes once. @returns undefined as {@link tryWrite} does */
async function tryEntry(client: StoreClient, wish: Wish, isLast: boolean): Promise<Written | undefined> {
  const { entry, pair } = wish;
  const { path } = entry;
  const found = await client.read(path);
  if (found !== undefined && client.holds(found, entry, pair))
    return { path, version: found.version, wrote: false, warnings: [] };
  assertOurs(wish, found);
  assertDocument(client, wish, found);
  const made = await tryWrite(client, wish, found, isLast);
  return made && { path, ...(await confirmed(client, wish, found, made)), wrote: true };
}

/** @returns undefined if nothing was written, or if that is unknown: then the path is read again */
async function tryWrite(
  client: StoreClient,
  { entry, pair }: Wish,
  found: StoredValue | undefined,
  isLast: boolean,
): Promise<NewVersion | undefined> {
  try {
    return await client.writeAt(found, entry, pair);
  } catch (error) {
    if (error instanceof PassingError && !isLast) return undefined;
    throw error;
  }
}

function assertOurs({ entry, known, force, whenForeign }: Wish, found: StoredValue | undefined): void {
  const keys = keysOf(entry);
  if (force || !isForeign(found, known, keys)) return;
  throw new StepError(`external write to ${describe(entry.path, found, keys)}. ${whenForeign}`);
}

/** A bare text has no room for the keys of a document, and what is there is not ours to throw away: `force` or not. */
function assertDocument(client: StoreClient, { entry }: Wish, found: StoredValue | undefined): void {
  const keys = keysOf(entry);
  if (found === undefined || keys === undefined || found.document !== undefined || found.content.kind === "empty")
    return;
  throw new StepError(`${describe(entry.path, found, keys)}: ${client.advice(entry.path, keys)}`);
}

/** The version, its time, and what is wrong with its content; never a value. @param keys as for `flawOf` */
export const describe = (path: string, stored: StoredValue, keys?: readonly string[]): string =>
  `${path}: version ${stored.version}, written ${stored.writtenAt}${oddWords(stored, keys)}`;

/** What is wrong with a version's content, to be appended to its description; empty if nothing is. */
export function oddWords(stored: StoredValue, keys?: readonly string[]): string {
  const flaw = flawOf(stored, keys);
  return flaw === undefined ? "" : `, and ${flaw.why}`;
}

/** Reads until the store shows the version that was written, or a newer one with our value. Stale is not foreign. */
async function confirmed(
  client: StoreClient,
  { entry, whenForeign }: Wish,
  found: StoredValue | undefined,
  { version, warning }: NewVersion,
): Promise<Pick<Written, "version" | "warnings">> {
  const { path } = entry;
  const isStale = (read: StoredValue | undefined) => client.isBefore(read, version, found);
  const read = await poll(
    () => client.read(path),
    (answer) => !isStale(answer),
    { limit: READABLE, every: (_, asked) => doubling(50, 2000, asked) },
  );
  if (isStale(read)) {
    throw new StepError(
      `version ${version} of ${path} was written, and the store still answers with ` +
        `${read === undefined ? "nothing" : `version ${read.version}`} after ${READABLE / 1000} s: a standby or a replica ` +
        "lags behind. No service was restarted. Run it again once it has caught up: it continues from here",
    );
  }
  if (read !== undefined && holdsEntry(read, entry))
    return { version: read.version, warnings: warning === undefined ? [] : [warning] };
  const after = read === undefined ? `${path} was deleted` : `external write to ${describe(path, read, keysOf(entry))}`;
  throw new StepError(`${after}, right after this update wrote version ${version}. ${whenForeign}`);
}
