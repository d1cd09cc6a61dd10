import { createHash } from "node:crypto";

/** The previous hash of the very first row. */
export const GENESIS = "0".repeat(64);

const FORMAT = "secret_rotation_log/1";

const instant = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/** The hashed columns after `previous_hash` and `id`, in order: the expression that gives each one's text. */
export const HASHED_COLUMNS = {
  secretName: "secret_name::text",
  rotatedBy: "rotated_by::text",
  rotationDate: instant("rotation_date"),
  status: "status::text",
  stack: "stack",
  environment: "environment",
  action: "action",
  generation: "generation::text",
  reason: "reason",
  outputs: "outputs::text",
  durationSeconds: "duration_seconds::text",
  stepKey: "step_key",
  recordedAt: instant("recorded_at"),
} as const;

/** Name of a hashed column. */
export type HashedColumn = keyof typeof HASHED_COLUMNS;

const names = Object.keys(HASHED_COLUMNS);

/** Position of a column in {@link ChainRow.fields}. */
export const fieldIndex = (name: HashedColumn): number => names.indexOf(name);

/** A row as its hash sees it: everything is text. */
export interface ChainRow {
  readonly id: number;
  readonly previousHash: string | null;
  readonly hash: string | null;
  /** The values of {@link HASHED_COLUMNS}. */
  readonly fields: readonly (string | null)[];
}

/** Each value with its length in UTF-8 bytes before it, so that no two lists of values give the same text. */
export function canonicalText(values: readonly (string | null)[]): string {
  let text = "";
  for (const value of values) text += value === null ? "-," : `${Buffer.byteLength(value)}:${value},`;
  return text;
}

/** SHA-256, in hex, of a row that follows `previousHash`: what the database's trigger computes, from the row's text. */
export function hashOf(previousHash: string | null, id: number, fields: readonly (string | null)[]): string {
  const text = canonicalText([FORMAT, previousHash, String(id)]) + canonicalText(fields);
  return createHash("sha256").update(text).digest("hex");
}
