import type { ChainProblem } from "./chain";
import { type ControlEvidence, controlsFor } from "./controls";
import { type CredentialSpan, credentialSpans } from "./credential-age";
import { byDate, type LogRow } from "./queries";
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

/** How a secret stands: warning five days before its limit, alert two days before, unknown without a row. */
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
  /** When it reaches its limit. */
  readonly limitAt: string | null;
  readonly ageDays: number | null;
  readonly daysLeft: number | null;
  readonly rotations: number;
  readonly failures: number;
  readonly rollbacks: number;
  /** The greatest age that a credential reached within the time of the report. */
  readonly longestAgeDays: number | null;
  /** No credential was in use beyond its limit, as far as the log tells. */
  readonly withinLimit: boolean;
  /** The credentials that were in use, for the timeline. */
  readonly credentials: readonly { generation: number | null; madeAt: string; from: string; to: string }[];
}

/** A row of the log within the time of the report. */
export type ReportRow = Omit<LogRow, "rotationDate" | "recordedAt"> & {
  readonly rotationDate: string;
  readonly recordedAt: string | null;
};

/** Everything that a report says; the renderers add nothing. */
export interface Report {
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
  readonly rows: readonly ReportRow[];
}

const DAY = 86_400_000;
const DEFAULT_MAX_AGE_DAYS = 90;
const WARNING_DAYS = 5;
const ALERT_DAYS = 2;

/**
 * Puts a report together. Pure: the clock is an argument.
 * @param rows as {@link rowsForReport} gives them, those from before the report's time among them.
 */
export function buildReport(rows: readonly LogRow[], secrets: readonly ReportSecret[], options: ReportOptions): Report {
  const { from, to, now, chain } = options;
  const inside = rows.filter((row) => row.rotationDate >= from && row.rotationDate < to).toSorted(byDate);
  const summaries = [...secrets.map((secret) => ({ secret, configured: true })), ...unconfigured(rows, secrets)].map(
    ({ secret, configured }) => summarise(secret, configured, rows, options),
  );
  const { valid, guarded, rows: count, tail, prunedThrough, problems, omitted } = chain;
  return {
    generatedAt: now.toISOString(),
    from: from.toISOString(),
    to: to.toISOString(),
    totals: { secrets: summaries.length, rows: inside.length, ...tally(inside) },
    secrets: summaries,
    chain: { valid, guarded, rows: count, tail, prunedThrough, problems, omitted },
    controls: controlsFor(summaries, chain),
    rows: inside.map(asReportRow),
  };
}

function summarise(
  secret: ReportSecret,
  configured: boolean,
  rows: readonly LogRow[],
  { from, to, now }: ReportOptions,
): SecretSummary {
  const maxAgeDays = secret.maxAgeDays ?? DEFAULT_MAX_AGE_DAYS;
  const own = rows.filter((row) => row.rotationDate < to && belongs(row, secret));
  const until = now < to ? now : to;
  const spans = credentialSpans(own, until).filter((span) => span.to > from);
  const current = spans.at(-1);
  const ageDays = current ? days(until, current.madeAt) : null;
  const longestAgeDays = spans.length > 0 ? Math.max(...spans.map((span) => days(span.to, span.madeAt))) : null;
  return {
    name: secret.name,
    environment: secret.environment,
    configured,
    strategy: secret.strategy ?? null,
    store: secret.store ?? null,
    maxAgeDays,
    standing: standing(ageDays, maxAgeDays),
    generation: current?.generation ?? null,
    madeAt: current?.madeAt.toISOString() ?? null,
    limitAt: current ? new Date(current.madeAt.getTime() + maxAgeDays * DAY).toISOString() : null,
    ageDays: ageDays === null ? null : roundUp(ageDays),
    daysLeft: ageDays === null ? null : -roundUp(ageDays - maxAgeDays),
    ...tally(own.filter((row) => row.rotationDate >= from)),
    longestAgeDays: longestAgeDays === null ? null : roundUp(longestAgeDays),
    withinLimit: longestAgeDays !== null && longestAgeDays <= maxAgeDays,
    credentials: spans.map(asCredential),
  };
}

function standing(ageDays: number | null, maxAgeDays: number): SecretStanding {
  if (ageDays === null) return "unknown";
  if (ageDays > maxAgeDays) return "overdue";
  if (ageDays >= maxAgeDays - ALERT_DAYS) return "alert";
  return ageDays >= maxAgeDays - WARNING_DAYS ? "warning" : "ok";
}

function tally(rows: readonly LogRow[]): { rotations: number; failures: number; rollbacks: number } {
  const count = (wanted: (row: LogRow) => boolean) => rows.filter(wanted).length;
  return {
    rotations: count((row) => row.status === "SUCCESS" && isRotation(row)),
    failures: count((row) => row.status === "FAILED"),
    rollbacks: count((row) => row.status === "ROLLED_BACK" || (row.status === "SUCCESS" && row.action === "ROLLBACK")),
  };
}

/** Taking over a credential as it is (generation 0) rotates nothing. */
const isRotation = ({ action, generation }: LogRow) =>
  action === "ROTATE" || action === "MANUAL" || (action === "ADOPT" && generation !== 0);

/** A row made by hand names no environment and may be of any; so may a secret. */
function belongs(row: LogRow, { name, environment }: ReportSecret): boolean {
  return row.secretName === name && (environment ?? row.environment) === (row.environment ?? environment);
}

function unconfigured(rows: readonly LogRow[], secrets: readonly ReportSecret[]) {
  const found = new Map<string, ReportSecret>();
  for (const row of rows) {
    if (row.action === "PRUNE" || secrets.some((secret) => belongs(row, secret))) continue;
    found.set(JSON.stringify([row.secretName, row.environment]), {
      name: row.secretName,
      environment: row.environment,
    });
  }
  return [...found.values()].map((secret) => ({ secret, configured: false }));
}

const days = (later: Date, earlier: Date) => (later.getTime() - earlier.getTime()) / DAY;

// An age is never understated: 90.04 days are more than 90.
const roundUp = (value: number) => Math.ceil(value * 10) / 10;

const asCredential = ({ generation, madeAt, from, to }: CredentialSpan) => ({
  generation,
  madeAt: madeAt.toISOString(),
  from: from.toISOString(),
  to: to.toISOString(),
});

const asReportRow = (row: LogRow): ReportRow => ({
  ...row,
  rotationDate: row.rotationDate.toISOString(),
  recordedAt: row.recordedAt?.toISOString() ?? null,
});
