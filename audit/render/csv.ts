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

const HEAD = COLUMNS.map((key) => ({ key }));

/** The report's rows as RFC 4180 has it. A text that a spreadsheet would run as a formula gets an apostrophe in front. */
export async function* renderCsv(report: Report): AsyncGenerator<string> {
  yield csv([], true);
  for await (const row of report.rows) yield csv([row], false);
}

function csv(rows: readonly ReportRow[], header: boolean): string {
  const texts = rows.map((row) => ({ ...row, outputs: row.outputs === null ? null : canonicalJson(row.outputs) }));
  return stringify(texts, {
    header,
    columns: HEAD,
    escape_formulas: true,
    // Without it a text with a lone carriage return would stand without quotes.
    quoted_string: true,
    record_delimiter: "windows",
  });
}
