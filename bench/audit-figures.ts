import { stat } from "node:fs/promises";
import { join } from "node:path";
import { startAuditPlatform } from "./audit-platform";
import { type Measured, measure, rotationCommand } from "./measured";

/** Verification and report of a long log, by the command as a user runs it. */
export interface AuditFigures {
  readonly rows: number;
  readonly writeSeconds: number;
  readonly verify: Pick<Measured, "seconds" | "cpuSeconds" | "peakMb">;
  /** The report on the last 90 days of the log's two years, and on all of it. */
  readonly reports: readonly ({ readonly last: string; readonly format: string; readonly megabytes: number } & Pick<
    Measured,
    "seconds" | "cpuSeconds" | "peakMb"
  >)[];
}

const YEARS_TWO = 730;
const REPORTS = [
  ["90d", "json"],
  ["90d", "html"],
  ["730d", "csv"],
  ["730d", "json"],
] as const;

const rounded = ({ seconds, cpuSeconds, peakMb }: Measured) => ({
  seconds: Math.round(seconds * 100) / 100,
  cpuSeconds: Math.round(cpuSeconds * 100) / 100,
  peakMb: Math.round(peakMb),
});

/** Fills a log and measures. @param rows of the log, over two years */
export async function auditFigures(rows: number, say: (line: string) => void): Promise<AuditFigures> {
  const platform = await startAuditPlatform();
  const run = (...args: string[]) =>
    measure([rotationCommand(), ...args, "--stack", "prod", "--cwd", platform.projectDir], { env: platform.env });
  try {
    const started = performance.now();
    await platform.fill(rows, YEARS_TWO);
    const writeSeconds = Math.round((performance.now() - started) / 100) / 10;
    say(`${rows} rows written in ${writeSeconds} s`);
    const verified = await run("audit", "verify", "--json");
    const verdict = JSON.parse(verified.stdout) as { valid: boolean; rows: number };
    if (!verdict.valid || verdict.rows !== rows) throw new Error(`expected ${rows} sound rows: ${verified.stdout}`);
    say(`audit verify: ${line(verified)}`);
    const reports = [];
    for (const [last, format] of REPORTS) {
      const file = join(platform.projectDir, `report.${format}`);
      const made = await run("report", "--last", last, "--format", format, "--out", file);
      const megabytes = Math.round((await stat(file)).size / 1e5) / 10;
      say(`report --last ${last} --format ${format} (${megabytes} MB): ${line(made)}`);
      reports.push({ last, format, megabytes, ...rounded(made) });
    }
    return { rows, writeSeconds, verify: rounded(verified), reports };
  } finally {
    await platform.stop();
  }
}

const line = ({ seconds, cpuSeconds, peakMb }: Measured) =>
  `${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of its own), ${Math.round(peakMb)} MB at most`;
