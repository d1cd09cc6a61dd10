import { stat } from "node:fs/promises";
import { join } from "node:path";
import { startAuditPlatform } from "./audit-platform";
import type { Figure, Outcome } from "./figures";
import { type Measured, measure, rotationCommand } from "./measured";

const TWO_YEARS = 730;
const VERIFY_SECONDS = 20;
/** How much more memory ten times as many rows may take. */
const GROWTH = 1.25;
const REPORTS = [
  ["90d", "json"],
  ["730d", "csv"],
  ["730d", "json"],
] as const;

/** (f) verification and reports of a long log. @param rows over two years */
export async function auditBench(say: (text: string) => void, rows: number): Promise<Outcome> {
  const platform = await startAuditPlatform();
  const run = (...args: string[]) =>
    measure([rotationCommand(), ...args, "--stack", "prod", "--cwd", platform.projectDir], { env: platform.env });
  const verify = async (expected: number) => {
    say(`audit verify: ${expected} rows`);
    const verified = await run("audit", "verify", "--json");
    const verdict = JSON.parse(verified.stdout) as { valid: boolean; rows: number };
    if (!verdict.valid || verdict.rows !== expected)
      throw new Error(`expected ${expected} sound rows: ${verified.stdout}`);
    return verified;
  };
  try {
    const tenth = Math.ceil(rows / 10);
    say(`audit: writing ${rows} rows`);
    await platform.fill(rows, TWO_YEARS, 1, tenth);
    const few = await verify(tenth);
    await platform.fill(rows, TWO_YEARS, tenth + 1);
    const all = await verify(rows);
    const figures: Figure[] = [
      {
        what: `(f) \`rotation audit verify\` of ${rows} rows`,
        measured: used(all),
        target: `< ${VERIFY_SECONDS} s`,
        met: all.cpuSeconds < VERIFY_SECONDS,
      },
      memory(few, all),
    ];
    for (const [last, format] of REPORTS) {
      say(`report --last ${last} --format ${format}`);
      const file = join(platform.projectDir, `report.${format}`);
      const made = await run("report", "--last", last, "--format", format, "--out", file);
      const megabytes = Math.round((await stat(file)).size / 1e6);
      figures.push({
        what: `\`rotation report --last ${last} --format ${format}\`, ${megabytes} MB`,
        measured: used(made),
      });
    }
    return {
      title: "An audit log of a long life",
      figures,
      notes: [
        `${rows} rows over two years, of 20 secrets, appended through the log's own triggers. The command's own time on a`,
        "processor; a report verifies the whole chain as well. Nearly every row begins a credential, which the report's figures list.",
      ],
    };
  } finally {
    await platform.stop();
  }
}

const used = ({ cpuSeconds, seconds, peakMb }: Measured) =>
  `${cpuSeconds.toFixed(1)} s (${seconds.toFixed(1)} s by the clock, ${Math.round(peakMb)} MB)`;

function memory(few: Measured, all: Measured): Figure {
  const ratio = all.peakMb / few.peakMb;
  return {
    what: "(f) its memory, against a tenth of the rows",
    measured: `${ratio.toFixed(2)} times`,
    target: `<= ${GROWTH}`,
    met: ratio <= GROWTH,
  };
}
