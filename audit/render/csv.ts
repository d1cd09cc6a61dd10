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

// Rows that are written at once.
const PAGE = 500;

const HEAD = COLUMNS.map((key) => ({ key }));

/** The report's rows as RFC 4180 has it. A text that a spreadsheet would run as a formula gets an apostrophe in front. */
export async function* renderCsv({ rows }: Pick<Report, "rows">): AsyncGenerator<string> {
  yield csv([], true);
  let page: ReportRow[] = [];
  for await (const row of rows) {
    page.push(row);
    if (page.length < PAGE) continue;
    yield csv(page, false);
    page = [];
  }
  yield csv(page, false);
}

function csv(rows: readonly ReportRow[], header: boolean): string {
  const texts = rows.map((row) => ({ ...row, outputs: row.outputs === null ? null : canonicalJson(row.outputs) }));
  return stringify(texts, {
    header,
    columns: HEAD,
    escape_formulas: true,
    // Without it a text with a lone carriage return would not be quoted.
    quoted_string: true,
    record_delimiter: "windows",
  });
}
