import { controlsFor } from "./controls";
import { byDate, type FigureRow, type LogRow } from "./queries";
import type { ReportFigures, ReportOptions, ReportRow, ReportSecret, WholeReport } from "./report";
import { SecretFigures, type Tally, tallied } from "./secret-figures";

/** A secret as a row names it. */
type Named = Pick<LogRow, "secretName" | "environment">;

/** Works out a report's figures from rows in the order of their dates, without keeping the rows. Pure: the clock is an argument. */
export class ReportBuilder {
  private readonly secrets: readonly SecretFigures[];
  private readonly byName = new Map<string, SecretFigures[]>();
  private readonly totals: Tally & { rows: number } = { rows: 0, rotations: 0, failures: 0, rollbacks: 0 };

  /** @param logged the secrets that the rows name; those that are not configured are reported as well */
  constructor(
    configured: readonly ReportSecret[],
    logged: readonly Named[],
    private readonly options: ReportOptions,
  ) {
    const others = logged
      .filter((row) => !configured.some((secret) => belongs(row, secret)))
      .map(({ secretName, environment }) => ({ name: secretName, environment }));
    this.secrets = [
      ...configured.map((secret) => new SecretFigures(secret, true, options)),
      ...others.map((secret) => new SecretFigures(secret, false, options)),
    ];
    for (const figures of this.secrets) {
      const { name } = figures.secret;
      this.byName.set(name, [...(this.byName.get(name) ?? []), figures]);
    }
  }

  /** Takes the next row, from before the report's time or of it. */
  push(row: FigureRow): void {
    if (row.rotationDate >= this.options.to) return;
    for (const figures of this.byName.get(row.secretName) ?? []) {
      if (belongs(row, figures.secret)) figures.push(row);
    }
    if (row.rotationDate < this.options.from) return;
    this.totals.rows += 1;
    tallied(this.totals, row);
  }

  figures(): ReportFigures {
    const { from, to, now, chain } = this.options;
    const secrets = this.secrets.map((secret) => secret.summary());
    const { valid, guarded, rows, tail, prunedThrough, problems, omitted } = chain;
    return {
      generatedAt: now.toISOString(),
      from: from.toISOString(),
      to: to.toISOString(),
      totals: { secrets: secrets.length, ...this.totals },
      secrets,
      chain: { valid, guarded, rows, tail, prunedThrough, problems, omitted },
      controls: controlsFor(secrets, chain),
    };
  }
}

/** A report on rows that are at hand, in any order, those from before its time among them. */
export function buildReport(
  rows: readonly LogRow[],
  secrets: readonly ReportSecret[],
  options: ReportOptions,
): WholeReport {
  const sorted = rows.toSorted(byDate);
  const named = new Map(sorted.map((row) => [JSON.stringify([row.secretName, row.environment]), row]));
  const builder = new ReportBuilder(
    secrets,
    [...named.values()].filter(({ action }) => action !== "PRUNE"),
    options,
  );
  for (const row of sorted) builder.push(row);
  const inside = sorted.filter((row) => row.rotationDate >= options.from && row.rotationDate < options.to);
  return { ...builder.figures(), rows: inside.map(asReportRow) };
}

/** A row made by hand names no environment and may be of any; so may a secret. */
function belongs(row: Named, { name, environment }: ReportSecret): boolean {
  return row.secretName === name && (environment ?? row.environment) === (row.environment ?? environment);
}

/** A row as reports have it. */
export const asReportRow = (row: LogRow): ReportRow => ({
  ...row,
  rotationDate: row.rotationDate.toISOString(),
  recordedAt: row.recordedAt?.toISOString() ?? null,
});
