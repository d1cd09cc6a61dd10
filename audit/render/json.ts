import type { Report } from "../report";

/** The report as it is, two spaces deep, with a line end. */
export function renderJson(report: Report): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}
