import { nextOpening, openings } from "./calendar";
import { utc } from "./clock";
import { type Duration, parseDuration } from "./duration";
import { labelDate } from "./key-label";
import type { Policy } from "./policy";
import { activeGeneration, adoptedGeneration, previousGeneration, type SecretState } from "./state";

/** How long before the maximum age the first warning (day 85 of 90) and the last one (day 88) come. */
export const WARNING_BEFORE: Duration = parseDuration("5d");
export const ALERT_BEFORE: Duration = parseDuration("2d");

/** How close an age is to the limit. */
export type Urgency = "ok" | "warning" | "alert" | "overdue";

/** How close an age is to the limit, both in milliseconds. */
export function urgencyOf(age: number, maxAge: number): Urgency {
  if (age > maxAge) return "overdue";
  if (age >= maxAge - ALERT_BEFORE) return "alert";
  return age >= maxAge - WARNING_BEFORE ? "warning" : "ok";
}

/** How old the credential in use is, as far as it is known. */
export interface Age {
  /** Whether `since` is when it was made. Otherwise it was in use before that, for an unknown time. */
  readonly known: boolean;
  readonly since: Date;
}

/**
 * The age of the credential in use. An operator's own credential that was adopted is as old as its label says (a key
 * pair); without a date its age is unknown: it was in use when it was adopted.
 */
export function ageOf(state: SecretState): Age {
  const adopted = activeGeneration(state) === adoptedGeneration(state);
  const label = state.labels[state.active] ?? null;
  const known = !adopted || (label !== null && labelDate(label) !== undefined);
  const since = known || activeGeneration(state) === 0 ? state.rotatedAt : state.step.at;
  return { known, since: new Date(since) };
}

/** When the credential in use reaches its maximum age. */
export const limitAt = (state: SecretState, { maxAge }: Policy): Date => new Date(Date.parse(state.rotatedAt) + maxAge);

/**
 * From when on the next rotation is due: `rotatedAt + maxAge - lead`, but not before {@link earliestAt}. If the calendar
 * has no opening from then until the maximum age, it is due in the last opening before, for the last `lead` of it.
 */
export function dueFrom(state: SecretState, policy: Policy): Date {
  const made = Date.parse(state.rotatedAt);
  const { calendar, lead, early = 0 } = policy;
  const earliest = earliestAt(state, policy);
  // The age of an adopted credential is unknown, so it is due as soon as it may be.
  const byAge =
    activeGeneration(state) === 0 && state.activatedBy !== undefined ? 0 : made + policy.maxAge - lead - early;
  const due = Math.max(byAge, earliest);
  const limit = made + policy.maxAge;
  if (calendar === undefined || due > limit) return new Date(due);
  if (openings(calendar, { start: due, end: limit + 1 }).length > 0) return new Date(due);
  const before = openings(calendar, { start: Math.max(made, earliest), end: due }).map(({ start, lastBegin }) => ({
    begins: Math.max(start, lastBegin - lead, earliest),
    lastBegin,
  }));
  // Not in the opening in which it was made: that would gain nothing.
  const last = before.findLast(({ begins, lastBegin }) => begins <= lastBegin && begins > made);
  return new Date(last?.begins ?? due);
}

/**
 * The time before which no rotation by age begins: a rollback's `retryAfter`, and the grace period of a rotation that was
 * finished long after it was begun. Milliseconds.
 */
export function earliestAt(state: SecretState, policy: Policy): number {
  const moved = state.step.action === "ROTATE" || state.step.action === "ADOPT";
  const grace = moved && previousGeneration(state) !== undefined ? graceEndsAt(state, policy).getTime() : 0;
  return Math.max(grace, state.notBefore === undefined ? 0 : Date.parse(state.notBefore));
}

/** When the next rotation is due: {@link dueFrom}, or the first moment after it at which the calendar lets it begin. */
export function dueAt(state: SecretState, policy: Policy): Date {
  const due = dueFrom(state, policy);
  const { calendar } = policy;
  return calendar === undefined ? due : new Date(nextOpening(calendar, due.getTime())?.begins ?? due);
}

/** When the previous credential stops being valid. */
export function graceEndsAt(state: SecretState, policy: Policy): Date {
  return new Date(graceBeganAt(state) + policy.gracePeriod);
}

/** When the previous login is revoked even if it is still in use. */
export function graceLimitAt(state: SecretState, policy: Policy): Date {
  return new Date(graceBeganAt(state) + Math.max(policy.gracePeriod, policy.gracePeriodMax));
}

const graceBeganAt = ({ step, rotatedAt }: SecretState) => Date.parse(step.action === "REVOKE" ? rotatedAt : step.at);

/** Whether the grace period of a login that this stack revokes is over, so that its users are looked up. */
export function graceIsOver(state: SecretState, policy: Policy, now: Date): boolean {
  return !state.revoked && previousGeneration(state) !== undefined && now >= graceEndsAt(state, policy);
}

/**
 * A secret's status by age: `due` as soon as an update would rotate it, and if its age is unknown. While it waits for the
 * calendar, how close its limit is. Pure: the clock is an argument.
 *
 * @param waits whether it waits for the calendar now. Default false.
 */
export function standingByAge(state: SecretState, policy: Policy, now: Date, waits = false): Urgency | "due" {
  const urgency = urgencyOf(now.getTime() - Date.parse(state.rotatedAt), policy.maxAge);
  if (urgency === "overdue") return urgency;
  const { known } = ageOf(state);
  if (waits) return urgency === "ok" && !known ? "warning" : urgency;
  return now >= dueFrom(state, policy) || !known ? "due" : urgency;
}

/**
 * The evidence for a previous credential that was tried: it may work until its grace period ends, and not longer.
 *
 * @param evidence what trying it showed
 * @throws Error if it works although it must not
 */
export function oldEnded(works: boolean, evidence: string, { revoked }: SecretState, end: Date, now: Date): string {
  if (!works) return `refused: ${evidence}`;
  if (revoked) throw new Error(`it still works although it was ended: ${evidence}`);
  if (now >= end) throw new Error(`its grace period ended at ${utc(end)} and it still works; \`rotation run\` ends it`);
  return `still valid, as intended, until ${utc(end)}`;
}
