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

/**
 * When the next rotation is due: `rotatedAt + maxAge - lead`, but not before a rollback's `retryAfter` is over, nor before
 * the grace period of a rotation that was finished long after it was begun.
 */
export function dueAt(state: SecretState, policy: Policy): Date {
  const byAge = Date.parse(state.rotatedAt) + policy.maxAge - policy.lead;
  // The age of an adopted credential is unknown, so it is due as soon as it may be.
  const due = activeGeneration(state) === 0 && state.activatedBy !== undefined ? 0 : byAge;
  const moved = state.step.action === "ROTATE" || state.step.action === "ADOPT";
  const grace = moved && previousGeneration(state) !== undefined ? graceEndsAt(state, policy).getTime() : 0;
  return new Date(Math.max(due, grace, state.notBefore === undefined ? 0 : Date.parse(state.notBefore)));
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
 * A secret's status by age: `due` as soon as an update would rotate it, and if its age is unknown. Pure: the clock is an
 * argument.
 */
export function standingByAge(state: SecretState, policy: Policy, now: Date): Urgency | "due" {
  const urgency = urgencyOf(now.getTime() - Date.parse(state.rotatedAt), policy.maxAge);
  if (urgency === "overdue") return urgency;
  return now >= dueAt(state, policy) || !ageOf(state).known ? "due" : urgency;
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
