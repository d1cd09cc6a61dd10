import { type ChainRow, fieldIndex, GENESIS, hashOf } from "./canonical";
import type { ChainAnchor, ChainHead, ChainProblem } from "./chain";
import { explain, type SeenRow } from "./chain-explain";

/** What a walk over all rows found. */
export interface ChainFindings {
  readonly rows: number;
  readonly problems: ChainProblem[];
  /** Rows with a problem beyond the number that is explained; they are only counted. */
  readonly omitted: number;
  /** The last row. */
  readonly tail: ChainAnchor | null;
  /** The last row that retention has removed, if any. */
  readonly prunedThrough: number | null;
}

// How far around its place a moved row is searched, and for how many rows.
const REACH = 32;
const SEARCHES = 200;
// How many sound rows are kept on each side of a break, and how many rows in all, to explain the break.
const MARGIN = 4;
const KEPT = 2_000;

const ACTION = fieldIndex("action");
const OUTPUTS = fieldIndex("outputs");

/**
 * Takes rows in the order of their id, in constant memory: a row is sound if its hash is right and it follows the row
 * before it. The rows around a break are kept, and {@link explain} names what was done to them at the end.
 */
export class ChainWalk {
  private readonly kept: SeenRow[] = [];
  private readonly prunes = new Map<string, number>();
  private readonly anchors: Map<number, string>;
  private readonly replaced: ChainProblem[] = [];
  private readonly start: SeenRow;
  private margin: SeenRow[] = [];
  private last: SeenRow;
  private first: SeenRow | undefined;
  private soundInARow = MARGIN;
  private shift = 0;
  private searches = 0;
  private rows = 0;
  private omitted = 0;

  /**
   * @param anchors places of the chain as noted elsewhere: those rows must still be there, with those hashes
   * @param start what the first row follows, for a part of the log. Default: the log's beginning
   */
  constructor(anchors: readonly ChainAnchor[] = [], start: ChainAnchor = BEGINNING) {
    this.anchors = new Map(anchors.map(({ id, hash }) => [id, hash]));
    this.start = { ...start, written: start.id, previousHash: null, fields: [], position: -1, sound: true };
    this.last = this.start;
  }

  /** Takes the next row. */
  push(row: ChainRow): void {
    const written = this.writtenAs(row);
    const shift = written === undefined ? this.shift : row.id - written;
    const sound = written !== undefined && shift === this.shift && row.previousHash === this.last.hash;
    // No spread: for a million rows it takes as long as their hashes.
    const { id, previousHash, hash, fields } = row;
    const seen: SeenRow = { id, previousHash, hash, fields, position: this.rows, written, sound };
    this.shift = shift;
    this.rows += 1;
    this.first ??= seen;
    this.last = seen;
    this.keep(seen);
    this.compareAnchor(row);
    if (written !== undefined && row.fields[ACTION] === "PRUNE") this.notePrune(row.fields[OUTPUTS] ?? null);
  }

  /** The result, once all rows were taken. @param head the log's own note of its end, if it is there. */
  finish(head: ChainHead | undefined): ChainFindings {
    const rows = [this.start, ...this.kept, ...this.margin];
    const problems = [...explain({ rows, head, prunes: this.prunes }), ...this.replaced];
    const prunedThrough = this.prunes.get(this.first?.previousHash ?? "") ?? null;
    for (const id of this.anchors.keys()) {
      if (id <= (prunedThrough ?? 0)) continue;
      problems.push({ id, kind: "deleted", message: `row ${id}, which was noted elsewhere, is missing` });
    }
    if (head && head.rows !== this.rows && problems.length === 0)
      problems.push(miscount(head, this.rows, this.last.id));
    const tail = this.rows > 0 ? { id: this.last.id, hash: this.last.hash ?? "" } : null;
    return { rows: this.rows, problems: firstOfEach(problems), omitted: this.omitted, tail, prunedThrough };
  }

  /** The id with which the row's hash is right; undefined if there is none near its place. */
  private writtenAs(row: ChainRow): number | undefined {
    const fits = (id: number) => hashOf(row.previousHash, id, row.fields) === row.hash;
    if (fits(row.id - this.shift)) return row.id - this.shift;
    if (this.searches >= SEARCHES) return undefined;
    this.searches += 1;
    for (let distance = 0; distance <= REACH; distance++) {
      if (fits(row.id + distance)) return row.id + distance;
      if (fits(row.id - distance)) return row.id - distance;
    }
    return undefined;
  }

  private keep(row: SeenRow): void {
    this.soundInARow = row.sound ? this.soundInARow + 1 : 0;
    if (this.soundInARow > MARGIN) {
      this.margin.push(row);
      if (this.margin.length > MARGIN) this.margin.shift();
    } else if (this.kept.length < KEPT) {
      this.kept.push(...this.margin, row);
      this.margin = [];
    } else if (!row.sound) this.omitted += 1;
  }

  private compareAnchor({ id, hash }: ChainRow): void {
    if (this.anchors.size === 0) return;
    const noted = this.anchors.get(id);
    this.anchors.delete(id);
    if (noted === undefined || noted === hash) return;
    this.replaced.push({ id, kind: "changed", message: `row ${id} has another hash than the one noted elsewhere` });
  }

  private notePrune(outputs: string | null): void {
    const account: unknown = JSON.parse(outputs ?? "null");
    if (typeof account !== "object" || account === null) return;
    if (!("throughId" in account && "throughHash" in account)) return;
    this.prunes.set(String(account.throughHash), Number(account.throughId));
  }
}

/** What the first row of all follows. */
export const BEGINNING: ChainAnchor = { id: 0, hash: GENESIS };

function miscount(head: ChainHead, rows: number, id: number): ChainProblem {
  const kind = head.rows > rows ? "deleted" : "inserted";
  return { id, kind, message: `the log counted ${head.rows} rows and holds ${rows}; row ${id} is its last` };
}

function firstOfEach(problems: ChainProblem[]): ChainProblem[] {
  const byId = new Map<number, ChainProblem>();
  for (const problem of problems) if (!byId.has(problem.id)) byId.set(problem.id, problem);
  return [...byId.values()].sort((a, b) => a.id - b.id);
}
