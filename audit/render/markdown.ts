import type { Report } from "../report";
import {
  ageText,
  chainSentence,
  counted,
  day,
  durationText,
  orDash,
  periodText,
  pruneSentence,
  STANDINGS,
  secretTitle,
  when,
} from "./words";

/** The report as GitHub-flavoured Markdown. What comes from the log can neither format nor link. */
export function renderMarkdown(report: Report): string {
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
        secretTitle(secret),
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
    table(
      ["Row", "Date (UTC)", "Secret", "Action", "Status", "Generation", "By", "Took", "Reason"],
      report.rows.map((row) => [
        row.id,
        when(row.rotationDate),
        row.secretName,
        row.action,
        row.status,
        orDash(row.generation),
        row.rotatedBy,
        durationText(row),
        orDash(row.reason),
      ]),
    ),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  if (rows.length === 0) return "None.";
  const line = (cells: readonly (string | number)[]) => `| ${cells.map((cell) => plain(String(cell))).join(" | ")} |`;
  return [line(head), `|${" --- |".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

/** One line of plain text, whatever it holds; a zero-width space keeps addresses and mentions from becoming links. */
function plain(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/&/g, "&amp;")
    .replace(/[\\`*_[\]<>|~$]/g, "\\$&")
    .replace(/@|:(?=\/\/)|(?<=www)\./gi, "$&\u200b");
}
