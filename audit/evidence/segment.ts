import type pg from "pg";
import type { ChainAnchor, ChainHead } from "../chain";
import { notedHead } from "../chain-rows";
import { BEGINNING } from "../chain-walk";
import { firstIdSince, rowLines } from "./rows";

/** The part of the log that a bundle has. */
export interface Segment {
  readonly lines: readonly string[];
  /** What its first row follows. */
  readonly start: ChainAnchor;
  /** The log's own note of its end, with the number of rows of this part. */
  readonly head: ChainHead | null;
}

/** Every row from the first one dated since `from`; within a transaction. */
export async function segmentSince(client: pg.ClientBase, from: Date): Promise<Segment> {
  const head = (await notedHead(client)) ?? null;
  const first = await firstIdSince(client, from);
  if (first === undefined) {
    const start = head === null ? BEGINNING : { id: head.id, hash: head.hash };
    return { lines: [], start, head: head && { ...head, rows: 0 } };
  }
  const { rows } = await client.query<{ id: string | null; previous: string; before: string }>(
    `SELECT (SELECT max(id) FROM secret_rotation_log WHERE id < $1) AS id,
            (SELECT previous_hash FROM secret_rotation_log WHERE id = $1) AS previous,
            (SELECT count(*) FROM secret_rotation_log WHERE id < $1) AS before`,
    [first],
  );
  const [about] = rows;
  const id = about?.id ?? null;
  return {
    lines: await rowLines(client, first),
    // With nothing before it the part is the whole log: then rows that left by retention must be accounted for.
    start: id === null ? BEGINNING : { id: Number(id), hash: about?.previous ?? "" },
    head: head && { ...head, rows: head.rows - Number(about?.before ?? 0) },
  };
}
