import type pg from "pg";
import { type ChainRow, HASHED_COLUMNS } from "./canonical";
import type { ChainHead } from "./chain";
import { pagesOf } from "./cursor";

const ROWS = `
  SELECT id::text, previous_hash, hash, ${Object.values(HASHED_COLUMNS).join(", ")}
  FROM secret_rotation_log AS log WHERE log.id >= $1 ORDER BY log.id`;

const ALL = -Number.MAX_SAFE_INTEGER;

/** The rows as their hashes see them, in the order of their ids, in constant memory; within a transaction. */
export async function* chainRows(client: pg.ClientBase, from = ALL): AsyncGenerator<ChainRow> {
  const query = { text: ROWS, values: [from], rowMode: "array" as const };
  for await (const page of pagesOf<(string | null)[]>(client, "audit_chain", query)) {
    for (const [id, previousHash = null, hash = null, ...fields] of page)
      yield { id: Number(id), previousHash, hash, fields };
  }
}

/** The log's own note of its end; undefined if that is gone. */
export async function notedHead(client: pg.ClientBase): Promise<ChainHead | undefined> {
  const { rows } = await client.query<Record<"id" | "hash" | "rows", string>>(
    "SELECT id, hash, rows FROM secret_rotation_log_head",
  );
  const [head] = rows;
  return head && { id: Number(head.id), hash: head.hash, rows: Number(head.rows) };
}
