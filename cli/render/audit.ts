import { counted } from "../../audit/controls";
import type { CountersignedBy } from "../../audit/evidence/anchoring";
import type { ChainVerdict } from "../../audit/verify";
import type { HeldVerdict } from "../operate/audit";
import { colors } from "./colors";
import { table, WIDTH, wrap } from "./table";

/** One line that says that the log was changed. */
export const tampered = ({ rows, problems, omitted }: ChainVerdict): string =>
  `The log was tampered with: ${counted(problems.length + omitted, "problem")} in ${counted(rows, "row")}.`;

/** The chain's verdict, with every row that was changed. */
export function renderVerdict(verdict: HeldVerdict, width = WIDTH): string {
  const { valid, guarded, rows, tail, problems, omitted, prunedThrough, anchors } = verdict;
  const lines = [valid ? colors.green(`The chain is intact: ${counted(rows, "row")}.`) : colors.red(tampered(verdict))];
  if (tail !== null) lines.push(wrap(`The last row is ${tail.id}, hash ${tail.hash}.`, "", width));
  lines.push(
    anchors === 0
      ? wrap(
          "The stack's state has no row to compare with, so a log that was rewritten as a whole would not be noticed.",
          "",
          width,
        )
      : wrap(`Rows compared with the hashes that the stack's state holds: ${anchors}.`, "", width),
  );
  if (verdict.countersigned !== undefined) lines.push(...renderCountersigned(verdict.countersigned, width));
  if (prunedThrough !== null) lines.push(`Rows up to ${prunedThrough} were removed by retention; the log records it.`);
  if (!guarded) lines.push(colors.red("The triggers that refuse UPDATE, DELETE and TRUNCATE are not in force."));
  if (problems.length > 0) {
    const columns = [{ title: "ROW", align: "right" as const }, { title: "WHAT" }, { title: "FOUND", flexible: true }];
    lines.push(
      "",
      table(
        columns,
        problems.map(({ id, kind, message }) => [String(id), kind, message]),
        width,
      ),
    );
  }
  if (omitted > 0) lines.push(`and ${omitted} more`);
  return lines.join("\n");
}

function renderCountersigned(countersigned: CountersignedBy, width: number): string[] {
  const { to } = countersigned;
  const lines = openInWords(countersigned).map((line) => colors.yellow(line));
  if (to > 0) lines.unshift(`Rows up to ${to} are countersigned outside of the database.`);
  return lines.map((line) => wrap(line, "", width));
}

/** What of the log is not noted outside of the database, and the command that notes it; empty if all is. */
export function openInWords({ open, failed, command }: CountersignedBy): string[] {
  const lines = Object.entries(failed).map(([name, error]) => `The anchors in ${name} could not be read: ${error}.`);
  if (open > 0)
    lines.push(
      `${counted(open, "row")} not countersigned yet: whoever rewrites ${open === 1 ? "it" : "them"} is not found. \`${command}\` notes the end of the log.`,
    );
  return lines;
}
