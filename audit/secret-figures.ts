import { urgencyOf } from "../core/deadlines";
import { DAY } from "../core/time";
import { CredentialHistory, type CredentialSpan, oldest } from "./credential-age";
import type { FigureRow } from "./queries";
import type { Incident, ReportOptions, ReportSecret, SecretStanding, SecretSummary } from "./report";

const DEFAULT_MAX_AGE_DAYS = 90;

/** What happened, counted. */
export interface Tally {
  rotations: number;
  failures: number;
  rollbacks: number;
}

/** Counts a row. */
export function tallied(tally: Tally, row: FigureRow): void {
  if (row.status === "FAILED") tally.failures += 1;
  else if (row.status === "ROLLED_BACK") tally.rollbacks += 1;
  else if (row.status !== "SUCCESS") return;
  else if (row.action === "ROLLBACK") tally.rollbacks += 1;
  else if (isRotation(row)) tally.rotations += 1;
}

/** Adopting a credential as it is (generation 0) rotates nothing. */
const isRotation = ({ action, generation }: FigureRow) =>
  action === "ROTATE" || action === "MANUAL" || (action === "ADOPT" && generation !== 0);

/** The figures of one secret, from its rows in the order of their dates. */
export class SecretFigures {
  private readonly history: CredentialHistory;
  private readonly tally: Tally = { rotations: 0, failures: 0, rollbacks: 0 };
  private readonly incidents: Incident[] = [];
  private readonly until: Date;

  constructor(
    readonly secret: ReportSecret,
    private readonly configured: boolean,
    private readonly options: Pick<ReportOptions, "from" | "to" | "now">,
  ) {
    const { from, to, now } = options;
    this.until = new Date(Math.min(now.getTime(), to.getTime()));
    this.history = new CredentialHistory(this.until, from);
  }

  /** Takes the next row, from before the report's time or of it. */
  push(row: FigureRow): void {
    this.history.push(row);
    if (row.rotationDate < this.options.from) return;
    tallied(this.tally, row);
    const { action, status, reason, rotationDate } = row;
    if (status !== "FAILED" && status !== "ROLLED_BACK" && action !== "ROLLBACK") return;
    this.incidents.push({ action, status, reason, rotationDate: rotationDate.toISOString() });
  }

  summary(): SecretSummary {
    const {
      name,
      environment,
      strategy = null,
      store = null,
      maxAgeDays = DEFAULT_MAX_AGE_DAYS,
      calendar,
    } = this.secret;
    const spans = this.history.spans().filter((span) => span.to > this.options.from);
    const current = spans.at(-1);
    const leaseDays = current?.leaseDays ?? null;
    const aging = leaseDays === null && current?.ageKnown ? current : undefined;
    const ageDays = aging ? days(this.until, aging.madeAt) : null;
    const longestAgeDays = spans.reduce<number | null>((most, span) => Math.max(most ?? 0, oldest(span)), null);
    return {
      name,
      environment,
      configured: this.configured,
      strategy,
      store,
      maxAgeDays,
      standing: leaseDays === null ? standing(ageDays, maxAgeDays) : "ok",
      generation: current?.generation ?? null,
      madeAt: current?.ageKnown ? current.madeAt.toISOString() : null,
      inUseBefore: current === undefined || current.ageKnown ? null : inUseBefore(current).toISOString(),
      limitAt: aging ? new Date(aging.madeAt.getTime() + maxAgeDays * DAY).toISOString() : null,
      ageDays: ageDays === null ? null : roundUp(ageDays),
      daysLeft: ageDays === null ? null : -roundUp(ageDays - maxAgeDays),
      ...this.tally,
      longestAgeDays: longestAgeDays === null ? null : roundUp(longestAgeDays),
      withinLimit: longestAgeDays !== null && longestAgeDays <= maxAgeDays && spans.every(({ ageKnown }) => ageKnown),
      leaseDays,
      ...(calendar === undefined ? {} : { calendar }),
      credentials: spans.map(asCredential),
      incidents: this.incidents,
    };
  }
}

const standing = (ageDays: number | null, maxAgeDays: number): SecretStanding =>
  ageDays === null ? "unknown" : urgencyOf(ageDays * DAY, maxAgeDays * DAY);

/** An external write was in use when it was adopted; the platform's own credential before the first row. */
const inUseBefore = ({ generation, madeAt, from }: CredentialSpan): Date => (generation === 0 ? madeAt : from);

const days = (later: Date, earlier: Date) => (later.getTime() - earlier.getTime()) / DAY;

// An age is never understated: 90.04 days are more than 90.
const roundUp = (value: number) => Math.ceil(value * 10) / 10;

const asCredential = ({ generation, madeAt, ageKnown, from, to, leaseDays }: CredentialSpan) => ({
  generation,
  madeAt: madeAt.toISOString(),
  ageKnown,
  from: from.toISOString(),
  to: to.toISOString(),
  leaseDays,
});
