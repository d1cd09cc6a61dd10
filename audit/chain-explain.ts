import { type ChainRow, hashOf } from "./canonical";
import type { ChainHead, ChainProblem, ProblemKind } from "./chain";

/** A row on the walk. */
export interface SeenRow extends ChainRow {
  /** Its number in the order of ids. */
  readonly position: number;
  /** The id with which its hash is right, which is the place where it was written. */
  readonly written: number | undefined;
  /** Its hash is right and it follows the row before it. */
  readonly sound: boolean;
}

/** The rows around every break, in the order of their ids, after a row that represents what the first one follows. */
export interface Breaks {
  readonly rows: readonly SeenRow[];
  readonly head: ChainHead | undefined;
  /** Hash and id of the last row that each PRUNE row accounts for. */
  readonly prunes: ReadonlyMap<string, number>;
}

/** A row whose hash is right for some id. */
interface GoodRow extends SeenRow {
  readonly written: number;
}

// The most rows without a place, and the most places at which they are tried.
const TRIED_ROWS = 100;
const TRIED_PLACES = 500;

/** Names what was done to the rows: a good row names its predecessor, and a bad one is judged by its successor. */
export function explain(breaks: Breaks): ChainProblem[] {
  const rows = findPlaces(breaks);
  const good = rows.filter(isGood);
  const known: Known = { ...breaks, rows, good, followed: new Map([...rows.flatMap(followable), ...good.map(byHash)]) };
  const moved = good.flatMap((row) => misplaced(row, known));
  const inPlace = good.filter((row) => !row.sound && moved.every(({ id }) => id !== row.id));
  return [
    ...moved,
    ...rows.flatMap((row) => (isGood(row) ? [] : [unsound(row, known)])),
    ...inPlace.flatMap((row) => broken(row, known)),
    ...ending(known),
  ];
}

interface Known extends Breaks {
  readonly good: readonly GoodRow[];
  /** Rows by the hash that a successor may know them by. */
  readonly followed: ReadonlyMap<string, SeenRow>;
}

const isGood = (row: SeenRow): row is GoodRow => row.written !== undefined;

const problem = (id: number, kind: ProblemKind, message: string): ChainProblem => ({ id, kind, message });

const recomputed = (row: SeenRow) => hashOf(row.previousHash, row.id, row.fields);

const byHash = (row: SeenRow): [string, SeenRow] => [row.hash ?? "", row];

const followable = (row: SeenRow): [string, SeenRow][] => [byHash(row), [recomputed(row), row]];

/** Rows that were moved far: each fits at the place of another such row, or of a missing one. */
function findPlaces({ rows, head }: Breaks): SeenRow[] {
  const lost = rows.filter((row) => !isGood(row));
  const gaps = rows.filter((row) => isGood(row) && !row.sound).map((row) => (row.written ?? 0) - 1);
  const places = [...lost.map((row) => row.id), head?.id ?? 0, ...gaps].slice(0, TRIED_PLACES);
  const tried = new Set(lost.slice(0, TRIED_ROWS));
  return rows.map((row) => {
    if (!tried.has(row)) return row;
    return { ...row, written: places.find((id) => hashOf(row.previousHash, id, row.fields) === row.hash) };
  });
}

/** A good row in another place than its own: it was moved if its own place is empty. */
function misplaced(row: GoodRow, { good, head }: Known): ChainProblem[] {
  const others = good.filter((other) => other.written !== row.written);
  const overtaken = others.some((other) => other.position < row.position !== other.written < row.written);
  if (row.written === row.id || !overtaken) return [];
  const twin = good.some((other) => other !== row && other.hash === row.hash);
  const missed = others.some(
    (other) => other.previousHash === row.hash && (!other.sound || other.position === row.position + 1),
  );
  if (!twin && (missed || head?.hash === row.hash)) {
    return [problem(row.id, "reordered", `row ${row.id} was written as row ${row.written}`)];
  }
  return [problem(row.id, "inserted", `row ${row.id} is a copy of row ${row.written}`)];
}

/** A row whose hash is wrong: the chain goes through it, or past it. */
function unsound(row: SeenRow, known: Known): ChainProblem {
  const next = known.good.find((other) => other.position > row.position);
  const before = next && predecessor(next, known);
  const bypassed = next && (before === "pruned" || (before !== undefined && isGood(before)));
  if (bypassed) {
    return problem(row.id, "inserted", `row ${row.id} is not part of the chain: row ${next.id} does not follow it`);
  }
  if (!next && known.head && row.id > known.head.id) return beyond(row, known.head);
  return problem(row.id, "changed", `row ${row.id} does not match its hash`);
}

/** A good row that does not follow the row before it. */
function broken(row: GoodRow, known: Known): ChainProblem[] {
  const before = predecessor(row, known);
  if (before === undefined) return lost(row.written, row.position, `row ${row.id}`, known);
  const rival = known.good.find((other) => other.previousHash === row.previousHash && other.hash !== row.hash);
  if (rival && before !== "pruned" && rival.id < row.id) {
    return [problem(row.id, "forked", `rows ${rival.id} and ${row.id} both follow row ${before.id}`)];
  }
  const previous = known.rows.findLast((other) => other.position < row.position);
  const moved = row.written !== row.id && before === previous;
  if (moved && isGood(previous) && row.written === previous.written + 1) {
    return [problem(row.id, "changed", `row ${row.id} was written as row ${row.written}: its id was changed`)];
  }
  return [];
}

function predecessor(row: GoodRow, { followed, prunes }: Known): SeenRow | "pruned" | undefined {
  const hash = row.previousHash ?? "";
  if (prunes.get(hash) === row.written - 1) return "pruned";
  return followed.get(hash);
}

/** The predecessor that a row names is missing: it was removed, or replaced by something else. */
function lost(written: number, position: number, follower: string, known: Known): ChainProblem[] {
  const before = known.good.filter((row) => row.written < written).reduce((a, b) => (b.written > a.written ? b : a));
  const from = before.written + 1;
  const to = written - 1;
  if (from > to) {
    if (before.id === 0) return [problem(written, "changed", `${follower} follows another beginning than the log's`)];
    return [problem(before.id, "changed", `row ${before.id} was replaced: ${follower} follows another version of it`)];
  }
  // Rows in between that do not match their hash were already reported.
  const between = known.rows.filter((row) => !isGood(row) && row.position > before.position && row.position < position);
  if (between.length > to - from) return [];
  const range = from === to ? `row ${from} is` : `rows ${from} to ${to} are`;
  const where = before.id > 0 ? `between row ${before.id} and ${follower}` : `before ${follower}`;
  return [problem(from, "deleted", `${range} missing ${where}`)];
}

/** Compares the end of the rows with the log's own note of it. */
function ending(known: Known): ChainProblem[] {
  const { head, rows, good, followed } = known;
  const tail = rows.at(-1);
  if (!tail) return [];
  if (!head) {
    const id = Math.max(tail.id, 1);
    return [
      problem(id, "deleted", `the log's own note of its last row is missing; the last one found is row ${tail.id}`),
    ];
  }
  const after = good.filter((row) => row.written > head.id).map((row) => beyond(row, head));
  if (followed.has(head.hash) || head.id === 0) return after;
  return [...after, ...lost(head.id + 1, Number.POSITIVE_INFINITY, "the end that the log noted", known)];
}

const beyond = (row: SeenRow, head: ChainHead) =>
  problem(row.id, "inserted", `row ${row.id} was put behind row ${head.id}, which the log noted as its last`);
