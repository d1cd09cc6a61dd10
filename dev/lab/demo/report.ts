import Table from "cli-table3";
import pc from "picocolors";
import type { Seen } from "./scenario";

const PLAIN = { head: [], border: [] };

/** A line that says what happens next. */
export const heading = (text: string) => `\n${pc.bold(pc.cyan(`== ${text}`))}`;

/** What changed, how long it took and how many logins failed. */
export function summaryTable(seen: readonly (Seen & { readonly action: string })[]): string {
  const table = new Table({
    head: ["what", "strategy", "generation", "seconds", "logins", "failed", "exposure"],
    style: PLAIN,
  });
  for (const { action, secret, strategy, from, to, seconds, logins, exposureSeconds } of seen) {
    const failed = logins.failed === 0 ? pc.green("0") : pc.yellow(String(logins.failed));
    table.push([
      `${action}\n${secret}`,
      strategy.replace("-", "-\n"),
      `${from} -> ${to}`,
      seconds.toFixed(1),
      logins.tried,
      failed,
      `${exposureSeconds.toFixed(2)} s`,
    ]);
  }
  return table.toString();
}

/** How long each phase took, one line a secret. */
export function phaseLines(seen: readonly Seen[]): string {
  return seen
    .map(
      ({ secret, phases }) =>
        `  ${secret}: ${phases.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)} s`).join(", ")}`,
    )
    .join("\n");
}

/** The audit log as the runbook's query shows it, and the columns that matter beside it. */
export function auditTable(rows: readonly Record<string, unknown>[]): string {
  const table = new Table({ head: ["secret_name", "rotation_date", "status", "action", "gen", "hash"], style: PLAIN });
  for (const row of rows) {
    const date = (row.rotation_date as Date).toISOString().slice(0, 16).replace("T", " ");
    const cells = [row.secret_name, date, row.status, row.action, row.generation, `${String(row.hash).slice(0, 8)}...`];
    table.push(cells.map((cell) => String(cell)));
  }
  return table.toString();
}
