import type { Finding } from "../../kinds/kind-operations";
import type { Point, Validation } from "../operate/validate";
import { colors } from "./colors";
import { table, WIDTH, wrap } from "./table";

const PAINT: Record<Point["verdict"], (text: string) => string> = {
  ok: colors.green,
  FAILED: colors.red,
  skipped: colors.dim,
};

/** The validation checklist, one line a point with its evidence. */
export function renderValidation(results: readonly Validation[], width = WIDTH): string {
  const columns = [{ title: "" }, { title: "POINT", flexible: true }, { title: "EVIDENCE", flexible: true }];
  return results
    .map(({ secret, points, ok }) => {
      const failed = points.filter(({ verdict }) => verdict === "FAILED").length;
      const rows = points.map(({ point, verdict, evidence }) => [PAINT[verdict](verdict), point, evidence]);
      const title = `${colors.bold(secret)}: ${ok ? "valid" : `${failed} of ${points.length} points failed`}`;
      return `${wrap(title, "", width)}\n${table(columns, rows, width)}`;
    })
    .join("\n\n");
}

/** What is wrong: cause, evidence, command. */
export function renderFindings(findings: readonly Omit<Finding, "fix">[], width = WIDTH): string {
  if (findings.length === 0) return colors.green("No problem found.");
  return findings
    .map(({ secret, cause, evidence, command, hint }) =>
      [
        wrap(`${colors.red("*")} ${secret === null ? "" : `${secret}: `}${cause}`, "", width),
        wrap(evidence, "    ", width),
        // Not wrapped, so that it can be copied.
        `  ${colors.bold(command)}`,
        ...(hint === undefined ? [] : [wrap(`(${hint})`, "    ", width)]),
      ].join("\n"),
    )
    .join("\n\n");
}
