import type { Report, ReportRow } from "../report";
import {
  ageText,
  chainSentence,
  counted,
  day,
  durationText,
  orDash,
  periodText,
  pruneSentence,
  reasonText,
  STANDINGS,
  secretTitle,
  when,
} from "./words";

/** The report as GitHub-flavoured Markdown. What comes from the log can neither format nor link. */
export async function* renderMarkdown(report: Report): AsyncGenerator<string> {
  const { totals, chain } = report;
  const parts = [
    "# Secret rotation report",
    `${plain(periodText(report))}, generated ${when(report.generatedAt)} UTC.`,
    [
      counted(totals.secrets, "secret"),
      counted(totals.rows, "row"),
      counted(totals.rotations, "rotation"),
      counted(totals.failures, "failure"),
      counted(totals.rollbacks, "rollback"),
    ].join(" · "),
    "## Secrets",
    table(
      ["Secret", "State", "Age", "Limit reached", "Longest age", "Rotations", "Failures", "Rollbacks"],
      report.secrets.map((secret) => [
        secret.calendar === undefined ? secretTitle(secret) : `${secretTitle(secret)}: ${secret.calendar}`,
        STANDINGS[secret.standing],
        ageText(secret),
        day(secret.limitAt),
        orDash(secret.longestAgeDays),
        secret.rotations,
        secret.failures,
        secret.rollbacks,
      ]),
    ),
    "## Integrity of the log",
    `${chainSentence(chain)} ${pruneSentence(chain)}`,
    chain.problems.map(({ kind, message }) => `- **${kind}**: ${plain(message)}`).join("\n"),
    "## Controls",
    table(
      ["Control", "In force now", "Asks", "Evidence", "Supported"],
      report.controls.map((item) => [
        `${item.framework} ${item.control}`,
        item.current,
        item.asks,
        item.evidence,
        item.supported ? "yes" : "no",
      ]),
    ),
    "## Rows",
  ];
  yield `${parts.filter((part) => part !== "").join("\n\n")}\n\n`;
  let empty = true;
  for await (const row of report.rows) {
    if (empty) yield `${tableHead(ROW_HEAD)}\n`;
    empty = false;
    yield `${tableLine(rowCells(row))}\n`;
  }
  if (empty) yield `${NONE}\n`;
}

const ROW_HEAD = ["Row", "Date (UTC)", "Secret", "Action", "Status", "Generation", "By", "Took", "Reason"];

const rowCells = (row: ReportRow): Cell[] => [
  row.id,
  when(row.rotationDate),
  row.secretName,
  row.action,
  row.status,
  orDash(row.generation),
  row.rotatedBy,
  durationText(row),
  reasonText(row),
];

type Cell = string | number;

const NONE = "None.";

const tableLine = (cells: readonly Cell[]) => `| ${cells.map((cell) => plain(String(cell))).join(" | ")} |`;

const tableHead = (head: readonly string[]) => `${tableLine(head)}\n|${" --- |".repeat(head.length)}`;

function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return rows.length === 0 ? NONE : [tableHead(head), ...rows.map(tableLine)].join("\n");
}

/** One line of plain text, whatever it holds; a zero-width space keeps addresses and mentions from becoming links. */
function plain(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/&/g, "&amp;")
    .replace(/[\\`*_[\]<>|~$]/g, "\\$&")
    .replace(/@|:(?=\/\/)|(?<=www)\./gi, "$&\u200b");
}
