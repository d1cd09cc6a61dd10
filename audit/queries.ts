import type pg from "pg";
import { pagesOf } from "./cursor";

/** A row of the log. Texts that a row from before the migration leaves out are empty. */
export interface LogRow {
  readonly id: number;
  readonly secretName: string;
  readonly rotatedBy: string;
  readonly rotationDate: Date;
  /** SUCCESS, FAILED or ROLLED_BACK; rows from before the migration may say something else. */
  readonly status: string;
  readonly stack: string | null;
  readonly environment: string | null;
  readonly action: string;
  readonly generation: number | null;
  readonly reason: string | null;
  readonly outputs: unknown;
  readonly durationSeconds: number | null;
  readonly stepKey: string | null;
  /** When the row was written; null for rows from before the migration. */
  readonly recordedAt: Date | null;
  readonly hash: string;
}

/** Narrows a query down. */
export interface LogFilter {
  readonly secretName?: string;
  readonly environment?: string;
}

const COLUMNS = `
  id::float8 AS id, coalesce(secret_name, '') AS "secretName", coalesce(rotated_by, '') AS "rotatedBy",
  rotation_date AS "rotationDate", coalesce(status, '') AS status, stack, environment, action, generation, reason,
  outputs, duration_seconds::float8 AS "durationSeconds", step_key AS "stepKey", recorded_at AS "recordedAt", hash`;

// A row that names no environment was made by hand and may be of any.
const FILTER = `
  rotation_date IS NOT NULL AND isfinite(rotation_date)
  AND ($1::text IS NULL OR secret_name = $1) AND ($2::text IS NULL OR coalesce(environment, $2) = $2)`;

const filterValues = ({ secretName, environment }: LogFilter) => [secretName ?? null, environment ?? null];

/** Rows dated from `from` to `to` (without it), oldest first; within a transaction. */
export async function* rowsBetween(
  client: pg.ClientBase,
  from: Date,
  to: Date,
  filter: LogFilter = {},
): AsyncGenerator<LogRow> {
  const text = `SELECT ${COLUMNS} FROM secret_rotation_log
    WHERE ${FILTER} AND rotation_date >= $3 AND rotation_date < $4 ORDER BY rotation_date, secret_rotation_log.id`;
  const values = [...filterValues(filter), from.toISOString(), to.toISOString()];
  for await (const page of pagesOf<LogRow>(client, "audit_rows", { text, values })) yield* page;
}

/** The newest row of each secret in each environment, by its date. */
export async function lastRowOfEach(client: pg.ClientBase, filter: LogFilter = {}): Promise<LogRow[]> {
  const { rows } = await client.query<LogRow>(
    `SELECT DISTINCT ON (secret_name, environment) ${COLUMNS} FROM secret_rotation_log
     WHERE ${FILTER} AND action NOT IN ('LEAK', 'PRUNE')
     ORDER BY secret_name, environment, rotation_date DESC, secret_rotation_log.id DESC`,
    filterValues(filter),
  );
  return rows;
}

/** What a report's figures need of a row; the reason only of what went wrong. */
export type FigureRow = Pick<
  LogRow,
  "id" | "secretName" | "environment" | "rotationDate" | "status" | "action" | "generation" | "reason" | "outputs"
>;

const FIGURES = `
  id::float8 AS id, coalesce(secret_name, '') AS "secretName", environment, rotation_date AS "rotationDate",
  coalesce(status, '') AS status, action, generation,
  CASE WHEN status <> 'SUCCESS' OR action = 'ROLLBACK' THEN reason END AS reason,
  CASE WHEN outputs ? 'leases' THEN
    jsonb_build_object('rotatedAt', outputs -> 'rotatedAt', 'leases', jsonb_build_object('maxTtlSeconds', outputs #> '{leases,maxTtlSeconds}'))
  WHEN outputs ? 'rotatedAt' THEN jsonb_build_object('rotatedAt', outputs -> 'rotatedAt') END AS outputs`;

// From before the time of a report, the rows that tell how old each credential was when it began.
const FOR_FIGURES = `
  (SELECT DISTINCT ON (secret_name, environment, generation, action) ${FIGURES} FROM secret_rotation_log
   WHERE ${FILTER} AND rotation_date < $3 AND status = 'SUCCESS' AND action IN ('ROTATE', 'MANUAL', 'ADOPT', 'ROLLBACK')
   ORDER BY secret_name, environment, generation, action, rotation_date DESC, secret_rotation_log.id DESC)
  UNION ALL
  (SELECT ${FIGURES} FROM secret_rotation_log WHERE ${FILTER} AND rotation_date >= $3 AND rotation_date < $4)`;

/** The rows that the figures of a report on `from` to `to` come from, oldest first; within a transaction. */
export async function* rowsForFigures(
  client: pg.ClientBase,
  from: Date,
  to: Date,
  filter: LogFilter = {},
): AsyncGenerator<FigureRow> {
  const text = `SELECT * FROM (${FOR_FIGURES}) AS figures ORDER BY "rotationDate", id`;
  const values = [...filterValues(filter), from.toISOString(), to.toISOString()];
  for await (const page of pagesOf<FigureRow>(client, "audit_figures", { text, values })) yield* page;
}

/** The secrets that {@link rowsForFigures} has rows of, in the order of their first. */
export async function secretsForFigures(
  client: pg.ClientBase,
  from: Date,
  to: Date,
  filter: LogFilter = {},
): Promise<Pick<LogRow, "secretName" | "environment">[]> {
  const { rows } = await client.query<Pick<LogRow, "secretName" | "environment">>(
    `SELECT "secretName", environment FROM (${FOR_FIGURES}) AS figures WHERE action <> 'PRUNE'
     GROUP BY "secretName", environment ORDER BY min("rotationDate"), min(id)`,
    [...filterValues(filter), from.toISOString(), to.toISOString()],
  );
  return rows;
}

/** How many rows retention would remove: the oldest up to, and without, the first one of `before` or later. */
export async function countPrunable(client: pg.ClientBase, before: Date): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    `SELECT count(*) FROM secret_rotation_log
     WHERE id < coalesce((SELECT min(id) FROM secret_rotation_log WHERE rotation_date >= $1), 9223372036854775807)`,
    [before.toISOString()],
  );
  return Number(rows[0]?.count ?? 0);
}

type DatedRow = Pick<LogRow, "id" | "rotationDate">;

/** Orders rows by their date, and rows of the same date as they were written. */
export function byDate(a: DatedRow, b: DatedRow): number {
  return a.rotationDate.getTime() - b.rotationDate.getTime() || a.id - b.id;
}
