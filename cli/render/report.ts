import {
  ageText,
  chainSentence,
  counted,
  durationText,
  orDash,
  periodText,
  pruneSentence,
  STANDINGS,
  when,
} from "../../audit/render/words";
import type { ReportRow, WholeReport } from "../../audit/report";
import { probesIn } from "../../core/probes";
import { colors } from "./colors";
import { table, WIDTH, wrap } from "./table";

/** The report on a terminal, at most 80 columns wide. */
export function renderReport(report: WholeReport, width = WIDTH): string {
  const { secrets, rows, controls, chain, totals } = report;
  const right = "right" as const;
  const summary = table(
    [
      { title: "SECRET", flexible: true },
      { title: "STATE" },
      { title: "AGE" },
      { title: "ROTATED", align: right },
      { title: "FAILED", align: right },
      { title: "BACK", align: right },
    ],
    secrets.map((secret) => [
      secret.name,
      STANDINGS[secret.standing],
      ageText(secret),
      String(secret.rotations),
      String(secret.failures),
      String(secret.rollbacks),
    ]),
    width,
  );
  const log = table(
    [
      { title: "ROW", align: right },
      { title: "DATE (UTC)" },
      { title: "SECRET", flexible: true },
      { title: "WHAT", flexible: true },
      { title: "GEN", align: right },
      { title: "BY", flexible: true },
      { title: "TOOK", align: right },
    ],
    rows.map((row) => [
      String(row.id),
      when(row.rotationDate),
      row.secretName,
      `${row.action} ${row.status}`,
      orDash(row.generation),
      row.rotatedBy,
      durationText(row),
    ]),
    width,
  );
  return [
    wrap(
      `${periodText(report)}: ${counted(totals.rotations, "rotation")}, ${counted(totals.failures, "failure")}, ${counted(totals.rollbacks, "rollback")}`,
      "",
      width,
    ),
    "",
    summary,
    ...secrets.flatMap(({ name, calendar }) =>
      calendar === undefined ? [] : [wrap(`${name}: ${calendar}`, "", width)],
    ),
    "",
    rows.length === 0 ? "No row in this time." : log,
    ...probeLines(rows, width),
    "",
    wrap((chain.valid && chain.guarded ? colors.green : colors.red)(chainSentence(chain)), "", width),
    wrap(pruneSentence(chain), "", width),
    "",
    ...controls.map(({ framework, control, evidence, supported }) =>
      wrap(
        `${supported ? colors.green("supported") : colors.red("NOT SUPPORTED")} ${framework} ${control}: ${evidence}`,
        "",
        width,
      ),
    ),
  ].join("\n");
}

/** What probes saw, of the rows that have it. */
function probeLines(rows: readonly ReportRow[], width: number): string[] {
  const said = rows.flatMap(({ id, outputs }) => {
    const words = probesIn(outputs);
    return words === undefined ? [] : [wrap(`probes of row ${id}: ${words}`, "", width)];
  });
  return said.length === 0 ? [] : ["", ...said];
}
