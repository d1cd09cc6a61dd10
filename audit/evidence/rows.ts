import type pg from "pg";
import * as z from "zod";
import { type ChainRow, HASHED_COLUMNS, type HashedColumn } from "../canonical";
import { chainRows } from "../chain-rows";

const NAMES = Object.keys(HASHED_COLUMNS) as HashedColumn[];

/**
 * The id of the first row dated at or after a time, from which a bundle has every row: without those between two rows their
 * chain could not be followed. Undefined if there is none.
 */
export async function firstIdSince(client: pg.ClientBase, from: Date): Promise<number | undefined> {
  const { rows } = await client.query<{ id: string | null }>(
    "SELECT min(id) AS id FROM secret_rotation_log WHERE rotation_date >= $1",
    [from.toISOString()],
  );
  const id = rows[0]?.id ?? null;
  return id === null ? undefined : Number(id);
}

/** The rows from an id on, a line of JSON each, every value as the text that its hash is computed from. */
export async function rowLines(client: pg.ClientBase, from: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const { id, previousHash, hash, fields } of chainRows(client, from)) {
    const named = Object.fromEntries(NAMES.map((name, index) => [name, fields[index] ?? null]));
    lines.push(JSON.stringify({ id, previousHash, hash, ...named }));
  }
  return lines;
}

const nullable = z.string().nullable();
const line = z.strictObject({
  id: z.int(),
  previousHash: nullable,
  hash: nullable,
  ...(Object.fromEntries(NAMES.map((name) => [name, nullable])) as Record<HashedColumn, typeof nullable>),
});

/** Rows as {@link rowLines} wrote them. @throws Error naming the line that is none */
export function readRows(text: string): ChainRow[] {
  const lines = text.split("\n").filter((one) => one !== "");
  return lines.map((one, index) => {
    const parsed = line.safeParse(asJson(one));
    if (!parsed.success) throw new Error(`line ${index + 1} is no row`);
    const { id, previousHash, hash, ...named } = parsed.data;
    return { id, previousHash, hash, fields: NAMES.map((name) => named[name]) };
  });
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
