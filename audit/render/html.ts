import type { ControlEvidence, Report, ReportRow, SecretStanding, SecretSummary } from "../report";
import { badge, type Cell, NONE, pageHead, TABLE_END, table, tableHead, tableRow, tile } from "./html-parts";
import { type Html, html } from "./html-template";
import { timeline } from "./timeline";
import {
  ageText,
  chainSentence,
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

/** The report as one page that needs nothing else: no script, no request, good on paper, in the dark and on a phone. */
export async function* renderHtml(report: Report): AsyncGenerator<string> {
  yield beforeRows(report).text;
  yield* rowsTable(report.rows);
  yield "\n</main>\n</body>\n</html>\n";
}

function beforeRows(report: Report): Html {
  const { totals } = report;
  return html`${pageHead(`Secret rotation report, ${day(report.from)} to ${day(report.to)}`)}
<body>
<header>
<h1>Secret rotation report</h1>
<p class="soft">${periodText(report)} · generated ${when(report.generatedAt)} UTC</p>
</header>
<main>
<div class="tiles">
${tile(totals.secrets, "secrets")}${tile(totals.rotations, "rotations")}${tile(totals.failures, "failures")}
${tile(totals.rollbacks, "rollbacks")}${tile(report.chain.valid ? "intact" : "broken", "hash chain")}
</div>
<h2>Timeline</h2>
${timeline(report)}
<h2>Secrets</h2>
${secretsTable(report.secrets)}
<h2>Integrity of the log</h2>
${verdict(report.chain)}
<h2>Controls</h2>
${controlsTable(report.controls)}
<p class="soft">This report is evidence from the rotation log; whether a control is met is for the auditor to say.</p>
<h2>Rows of the log</h2>
`;
}

const BADGES: Record<SecretStanding, string> = {
  ok: "good",
  warning: "warn",
  alert: "warn",
  overdue: "bad-text",
  unknown: "warn",
};

function secretsTable(secrets: readonly SecretSummary[]): Html {
  const head = ["Secret", "State", "Age", "Limit reached", "Longest age", "Rotations", "Failures", "Rollbacks"];
  return table(
    head,
    secrets.map((secret) => [
      html`${secretTitle(secret)}${secret.configured ? null : html` <span class="soft">(not in the config)</span>`}${secret.calendar === undefined ? null : html`<br><span class="soft">${secret.calendar}</span>`}`,
      badge(BADGES[secret.standing], STANDINGS[secret.standing]),
      ageText(secret),
      day(secret.limitAt),
      longestAge(secret),
      secret.rotations,
      secret.failures,
      secret.rollbacks,
    ]),
  );
}

function longestAge({ longestAgeDays, withinLimit }: SecretSummary): Html | string {
  if (longestAgeDays === null) return "–";
  return withinLimit ? `${longestAgeDays} days` : badge("bad-text", `${longestAgeDays} days`);
}

function verdict(chain: Report["chain"]): Html {
  const sound = chain.valid && chain.guarded;
  return html`<div class="verdict${sound ? "" : " bad"}"><p><b>${sound ? "Intact." : "Not intact."}</b>
    ${chainSentence(chain)}</p>
    ${chain.problems.length === 0 ? null : html`<ul>${chain.problems.map(problem)}</ul>`}
    <p class="soft">${pruneSentence(chain)} Verify it again: <code>rotation audit verify</code></p></div>`;
}

const problem = ({ kind, message }: Report["chain"]["problems"][number]) =>
  html`<li>${badge("bad-text", kind)} ${message}</li>`;

function controlsTable(controls: readonly ControlEvidence[]): Html {
  return table(
    ["Control", "In force now", "Asks", "Evidence", "Supported"],
    controls.map((control) => [
      html`<span class="whole">${control.framework}</span> ${control.control}`,
      control.current,
      control.asks,
      control.evidence,
      control.supported ? badge("good", "yes") : badge("bad-text", "no"),
    ]),
  );
}

const ROW_HEAD = ["Row", "Date (UTC)", "Secret", "Action", "Status", "Generation", "By", "Took", "Reason"];

async function* rowsTable(rows: Report["rows"]): AsyncGenerator<string> {
  let empty = true;
  for await (const row of rows) {
    if (empty) yield tableHead(ROW_HEAD).text;
    empty = false;
    yield tableRow(ROW_HEAD, rowCells(row)).text;
  }
  yield empty ? NONE.text : TABLE_END.text;
}

const rowCells = (row: ReportRow): Cell[] => [
  row.id,
  when(row.rotationDate),
  row.secretName,
  row.action,
  badge(row.status === "SUCCESS" ? "good" : "bad-text", row.status),
  orDash(row.generation),
  row.rotatedBy,
  durationText(row),
  reasonText(row),
];
