import { stringify } from "csv-stringify/sync";
import { canonicalJson } from "../entry";
import type { Report, ReportRow } from "../report";

const COLUMNS: readonly (keyof ReportRow)[] = [
  "id",
  "secretName",
  "rotatedBy",
  "rotationDate",
  "status",
  "stack",
  "environment",
  "action",
  "generation",
  "reason",
  "durationSeconds",
  "outputs",
  "stepKey",
  "recordedAt",
  "hash",
];

/** The report's rows as RFC 4180 has it. A text that a spreadsheet would run as a formula gets an apostrophe in front. */
export function renderCsv(report: Report): string {
  const rows = report.rows.map((row) => ({
    ...row,
    outputs: row.outputs === null ? null : canonicalJson(row.outputs),
  }));
  return stringify(rows, {
    header: true,
    columns: [...COLUMNS],
    escape_formulas: true,
    // Without it a text with a lone carriage return would stand without quotes.
    quoted_string: true,
    record_delimiter: "windows",
  });
}
