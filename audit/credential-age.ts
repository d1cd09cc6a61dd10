import { DAY } from "../core/time";
import type { FigureRow } from "./queries";

/** A period in which one credential was in use. */
export interface CredentialSpan {
  readonly generation: number | null;
  /** When the credential was made; the earliest known date if it is older than the log. */
  readonly madeAt: Date;
  /** Whether that is its date. Otherwise it was in use before that, for an unknown time. */
  readonly ageKnown: boolean;
  readonly from: Date;
  readonly to: Date;
  /** If Vault makes short-lived logins: the longest life of one, in days; else null. */
  readonly leaseDays: number | null;
}

const RENEWS = new Set(["ROTATE", "MANUAL", "ADOPT"]);

/**
 * The credentials of one secret, one after the other, from its rows in the order of their dates: a rotation begins a new
 * one, and a rollback restores the one of its generation with its age. Rows that failed change nothing.
 */
export class CredentialHistory {
  private readonly made = new Map<number | null, Pick<CredentialSpan, "madeAt" | "ageKnown">>();
  private readonly starts: Omit<CredentialSpan, "to">[] = [];
  private first: Date | undefined;

  /**
   * @param until the end of the last credential's period; later rows are left out
   * @param from what ended before is forgotten
   */
  constructor(
    private readonly until: Date,
    private readonly from?: Date,
  ) {}

  /** Takes the next row. */
  push({ status, action, generation, outputs, rotationDate }: FigureRow): void {
    if (status !== "SUCCESS" || rotationDate > this.until) return;
    if (RENEWS.has(action)) {
      const madeAt = madeAtOf({ outputs, rotationDate });
      this.made.set(generation, { madeAt, ageKnown: (outputs as { ageKnown?: unknown } | null)?.ageKnown !== false });
    } else if (action !== "ROLLBACK") return;
    // When an adopted credential was made is not recorded: it is at least as old as the oldest row.
    const unknown = { madeAt: this.first ?? rotationDate, ageKnown: false };
    const { madeAt, ageKnown } = this.made.get(generation) ?? unknown;
    this.first ??= madeAt;
    if (this.from !== undefined && rotationDate <= this.from) this.starts.pop();
    this.starts.push({ generation, madeAt, ageKnown, from: rotationDate, leaseDays: leaseDaysOf(outputs) });
  }

  spans(): CredentialSpan[] {
    return this.starts.map((start, index) => ({ ...start, to: this.starts[index + 1]?.from ?? this.until }));
  }
}

/** A key that an operator made days before its adoption is as old as its outputs say. */
function madeAtOf({ outputs, rotationDate }: Pick<FigureRow, "outputs" | "rotationDate">): Date {
  const noted = new Date(String((outputs as { rotatedAt?: unknown } | null)?.rotatedAt));
  return noted < rotationDate ? noted : rotationDate;
}

/** The row itself says whether its credentials are leases, and how long they live. */
function leaseDaysOf(outputs: FigureRow["outputs"]): number | null {
  const { maxTtlSeconds } = (outputs as { leases?: { maxTtlSeconds?: unknown } } | null)?.leases ?? {};
  return typeof maxTtlSeconds === "number" ? maxTtlSeconds / 86_400 : null;
}

/** The greatest age in days that a credential of this span reached: a lease ends by itself. */
export const oldest = ({ to, madeAt, leaseDays }: CredentialSpan): number =>
  Math.min((to.getTime() - madeAt.getTime()) / DAY, leaseDays ?? Number.POSITIVE_INFINITY);
