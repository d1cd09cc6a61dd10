import type { LogRow } from "../../../audit/queries";
import type { ReportOptions, ReportSecret } from "../../../audit/report";
import { buildReport } from "../../../audit/report-builder";
import type { ChainVerdict } from "../../../audit/verify";

/** A log of a year: late once, failed once, rolled back once. */

export const utc = (date: string): Date => new Date(`${date}T09:00:00Z`);

export const INTACT: ChainVerdict = {
  valid: true,
  guarded: true,
  rows: 9,
  problems: [],
  omitted: 0,
  tail: { id: 9, hash: "ab".repeat(32) },
  prunedThrough: null,
};

export function logRow(id: number, date: string, more: Partial<LogRow> = {}): LogRow {
  return {
    id,
    secretName: "database/password",
    rotatedBy: "github-actions",
    rotationDate: utc(date),
    status: "SUCCESS",
    stack: "prod",
    environment: "prod",
    action: "ROTATE",
    generation: id,
    reason: "due by age",
    outputs: { path: "secret/prod/database/password", version: id },
    durationSeconds: 41.26,
    stepKey: `prod/${id}`,
    recordedAt: utc(date),
    hash: "cd".repeat(32),
    ...more,
  };
}

const alpaca = { secretName: "alpaca/api_key", rotatedBy: "ops-user" };

export const ROWS: LogRow[] = [
  logRow(1, "2026-01-10", { action: "ADOPT", generation: 1 }),
  logRow(2, "2026-01-12", { ...alpaca, action: "MANUAL", generation: null, environment: null, stack: null }),
  logRow(3, "2026-04-06", { generation: 2 }),
  logRow(4, "2026-04-22", { ...alpaca, generation: 1 }),
  logRow(5, "2026-07-03", { status: "FAILED", generation: 3, reason: "orchestrator stayed unhealthy" }),
  logRow(6, "2026-07-03", { generation: 3, durationSeconds: null }),
  logRow(7, "2026-07-04", { action: "ROLLBACK", generation: 2, reason: "queries slow down" }),
  logRow(8, "2026-07-05", { generation: 4 }),
  logRow(9, "2026-07-20", { ...alpaca, generation: 2 }),
];

export const SECRETS: ReportSecret[] = [
  { name: "database/password", environment: "prod", strategy: "alternating-users", store: "vault" },
  { name: "alpaca/api_key", environment: "prod", strategy: "supplied-keys", store: "vault" },
];

export const OPTIONS: ReportOptions = {
  from: utc("2026-03-01"),
  to: utc("2026-09-01"),
  now: utc("2026-09-01"),
  chain: INTACT,
};

export const report = (more: Partial<ReportOptions> = {}, rows = ROWS, secrets = SECRETS) =>
  buildReport(rows, secrets, { ...OPTIONS, ...more });

/** What a renderer writes. */
export async function textOf(pieces: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const piece of pieces) text += piece;
  return text;
}
