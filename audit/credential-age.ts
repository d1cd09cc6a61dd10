import { byDate, type LogRow } from "./queries";

/** A time in which one credential was in use. */
export interface CredentialSpan {
  readonly generation: number | null;
  /** When the credential was made; the earliest date known where it is older than the log. */
  readonly madeAt: Date;
  readonly from: Date;
  readonly to: Date;
}

const RENEWS = new Set(["ROTATE", "MANUAL", "ADOPT"]);

/**
 * The credentials of one secret, one after the other until `until` (with it), as its rows tell: a rotation begins a new
 * one, and a rollback brings back the one of its generation with the age it has. Rows that failed change nothing.
 */
export function credentialSpans(rows: readonly LogRow[], until: Date): CredentialSpan[] {
  const made = new Map<number | null, Date>();
  const starts: Omit<CredentialSpan, "to">[] = [];
  const done = rows.filter((row) => row.status === "SUCCESS" && row.rotationDate <= until);
  for (const row of done.toSorted(byDate)) {
    const { action, generation, rotationDate } = row;
    if (RENEWS.has(action)) made.set(generation, madeAtOf(row));
    else if (action !== "ROLLBACK") continue;
    // Nobody noted when an adopted credential was made: it is at least as old as the oldest row.
    const madeAt = made.get(generation) ?? starts[0]?.madeAt ?? rotationDate;
    starts.push({ generation, madeAt, from: rotationDate });
  }
  return starts.map((start, index) => ({ ...start, to: starts[index + 1]?.from ?? until }));
}

/** A key that an operator made days before it was taken over is as old as its outputs say. */
function madeAtOf({ outputs, rotationDate }: LogRow): Date {
  const noted = new Date(String((outputs as { rotatedAt?: unknown } | null)?.rotatedAt));
  return noted < rotationDate ? noted : rotationDate;
}
