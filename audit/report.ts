import type { ChainProblem } from "./chain";
import { type ControlEvidence, controlsFor } from "./controls";
import { byDate, type FigureRow, type LogRow } from "./queries";
import { SecretFigures, type Tally, tallied } from "./secret-figures";
import type { ChainVerdict } from "./verify";

/** A secret as the config has it. */
export interface ReportSecret {
  readonly name: string;
  /** Null for one that is the same in every environment. */
  readonly environment: string | null;
  /** The limit, in days; 90 by default. */
  readonly maxAgeDays?: number;
  readonly strategy?: string;
  readonly store?: string;
}

/** The time that a report covers, and what it cannot know by itself. */
export interface ReportOptions {
  readonly from: Date;
  /** Not covered itself. */
  readonly to: Date;
  readonly now: Date;
  readonly chain: ChainVerdict;
}

/** A failure or a rollback, for the timeline. */
export type Incident = Pick<ReportRow, "rotationDate" | "action" | "status" | "reason">;

/** How a secret stands: warning five days before its limit, alert two days before, unknown without a row or a date. */
export type SecretStanding = "ok" | "warning" | "alert" | "overdue" | "unknown";

/** One secret over the time of the report; dates are ISO 8601 in UTC. */
export interface SecretSummary {
  readonly name: string;
  readonly environment: string | null;
  /** False for a secret that only the log knows. */
  readonly configured: boolean;
  readonly strategy: string | null;
  readonly store: string | null;
  readonly maxAgeDays: number;
  readonly standing: SecretStanding;
  readonly generation: number | null;
  /** When the credential in use was made. */
  readonly madeAt: string | null;
  /** Of an adopted credential of unknown age: when it was in use already. Null for any other. */
  readonly inUseBefore: string | null;
  /** When it reaches its limit. */
  readonly limitAt: string | null;
  readonly ageDays: number | null;
  readonly daysLeft: number | null;
  readonly rotations: number;
  readonly failures: number;
  readonly rollbacks: number;
  /** The greatest age that a credential reached within the time of the report. */
  readonly longestAgeDays: number | null;
  /** No credential was in use beyond its limit, as far as the log tells; false where it does not tell an age. */
  readonly withinLimit: boolean;
  /** Where Vault makes short-lived logins: the days that one lives at the most, and nothing reaches a limit; else null. */
  readonly leaseDays: number | null;
  /** The credentials that were in use, for the timeline. */
  readonly credentials: readonly {
    generation: number | null;
    madeAt: string;
    ageKnown: boolean;
    from: string;
    to: string;
    leaseDays: number | null;
  }[];
  /** What went wrong within the time of the report, oldest first. */
  readonly incidents: readonly Incident[];
}

/** A row of the log within the time of the report. */
export type ReportRow = Omit<LogRow, "rotationDate" | "recordedAt"> & {
  readonly rotationDate: string;
  readonly recordedAt: string | null;
};

/** Everything that a report says but its rows. */
export interface ReportFigures {
  readonly generatedAt: string;
  readonly from: string;
  readonly to: string;
  readonly totals: { secrets: number; rows: number; rotations: number; failures: number; rollbacks: number };
  readonly secrets: readonly SecretSummary[];
  readonly chain: {
    valid: boolean;
    guarded: boolean;
    rows: number;
    tail: ChainVerdict["tail"];
    prunedThrough: number | null;
    problems: readonly ChainProblem[];
    omitted: number;
  };
  readonly controls: readonly ControlEvidence[];
}

/** Everything that a report says; the renderers add nothing. */
export interface Report extends ReportFigures {
  /** In the order of their dates. They may come from the database as they are read, which they can be once. */
  readonly rows: Iterable<ReportRow> | AsyncIterable<ReportRow>;
}

/** A report that was read to its end. */
export interface WholeReport extends ReportFigures {
  readonly rows: readonly ReportRow[];
}

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
