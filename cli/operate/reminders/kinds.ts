import { type CalendarConfig, policyOf } from "../../../config";
import {
  ageOf,
  dueAt,
  graceEndsAt,
  graceIsOver,
  graceLimitAt,
  limitAt,
  urgencyOf,
  WARNING_BEFORE,
} from "../../../core/deadlines";
import type { Policy } from "../../../core/policy";
import { activeGeneration, type SecretState } from "../../../core/state";
import { DAY } from "../../../core/time";
import { outlookOf } from "../../../core/waiting";
import type { Supply } from "../../../kinds/kind-operations";
import { operationsOf } from "../../../kinds/operations";
import { traitsOf } from "../../../kinds/schemas";
import type { LogRow } from "../audit-log";
import type { SecretOutput } from "../outputs";
import type { Outline } from "../settings";
import { lastFailure } from "../status";

/**
 * The occasions of reminders: five days and two days before the maximum age (day 85, day 88), a day before a rotation by
 * age (two days before if the config limits when rotations run), that no window is left before the maximum age, the end of the previous credential's grace period, each day that it is still used after that, an age past the
 * maximum, and a failed rotation.
 */
export const KINDS = ["warning", "alert", "planned", "no-window", "grace-over", "in-use", "overdue", "failed"] as const;

export type ReminderKind = (typeof KINDS)[number];

/** One reminder, sent once per secret, generation and kind, or once a day. */
export interface Reminder {
  readonly secret: string;
  readonly generation: number;
  readonly kind: ReminderKind;
  readonly stack: string;
  readonly environment: string;
  /**
   * What it is about, ISO 8601: the maximum age, the planned rotation, the end of the grace period, the failure, or the day on
   * which a login that is in use is revoked in any case.
   */
  readonly at: string;
  /** Null if its age is unknown. */
  readonly ageDays: number | null;
  readonly maxAgeDays: number;
  /** How the operator supplies a new value; undefined if the pipeline makes it. */
  readonly supply: Supply | undefined;
  /** The reason that a failed rotation's row gives, who still uses a login, or why no window is left, in words. */
  readonly reason: string | null;
  /** The day of a daily reminder, such as 2026-11-30; undefined if it is sent once. */
  readonly day?: string;
}

/** What reminders are derived from. */
interface Evidence {
  readonly stack: string;
  readonly outline: Pick<Outline, "environment" | "policy" | "secrets"> & CalendarConfig;
  readonly outputs: Readonly<Record<string, SecretOutput>>;
  /** The last row of each secret in the audit log. */
  readonly rows: readonly LogRow[];
  /** Who still uses the previous login, by the secret's name. */
  readonly inUse?: Readonly<Record<string, string | undefined>>;
}

/** All reminders that are due now, whether sent before or not. Pure: the clock is an argument. */
export function remindersAt(now: Date, { stack, outline, outputs, rows, inUse = {} }: Evidence): Reminder[] {
  return outline.secrets.flatMap((secret) => {
    const state = outputs[secret.name]?.state;
    if (state === undefined) return [];
    const policy = policyOf(outline, secret);
    const age = now.getTime() - Date.parse(state.rotatedAt);
    const { ages } = traitsOf(secret);
    const common = {
      secret: secret.name,
      generation: activeGeneration(state),
      stack,
      environment: outline.environment,
      ageDays: ageOf(state).known ? Math.floor(age / DAY) : null,
      maxAgeDays: policy.maxAge / DAY,
      supply: operationsOf(secret).supply,
      reason: null,
    };
    const limit = limitAt(state, policy).toISOString();
    const outlook = ages ? outlookOf(state, policy, now) : undefined;
    const failed = lastFailure(secret.name, outline.environment, state, rows);
    return [
      ...(ages ? ageKinds(age, policy) : []).map((kind) => ({ ...common, kind, at: limit })),
      ...(ages && isPlanned(state, policy, now, common.supply !== undefined)
        ? [{ ...common, kind: "planned" as const, at: dueAt(state, policy).toISOString() }]
        : []),
      ...(outlook?.alarm === undefined
        ? []
        : [{ ...common, kind: "no-window" as const, at: limit, reason: outlook.alarm }]),
      ...(graceIsOver(state, policy, now) ? [{ ...common, ...ending(state, policy, now, inUse[secret.name]) }] : []),
      ...(failed === undefined
        ? []
        : [{ ...common, kind: "failed" as const, at: failed.rotationDate.toISOString(), reason: failed.reason }]),
    ];
  });
}

/** One of them at a time: the most urgent one makes up for any that was missed. */
function ageKinds(age: number, { maxAge }: Policy): ReminderKind[] {
  const urgency = urgencyOf(age, maxAge);
  return urgency === "ok" ? [] : [urgency];
}

/**
 * A value that the operator supplies rotates when it is supplied: only if it has to be there before a window, that is
 * announced, as early as the first warning.
 */
function isPlanned(state: SecretState, policy: Policy, now: Date, isSupplied: boolean): boolean {
  if (isSupplied && policy.calendar === undefined) return false;
  const due = dueAt(state, policy).getTime();
  // A window is short: the day of notice must not run out in the middle of it.
  const before = isSupplied ? WARNING_BEFORE : (policy.calendar === undefined ? 1 : 2) * DAY;
  return now.getTime() >= due - before && now.getTime() < due;
}

/** The end of the previous credential's grace period, or who still uses it and until when. */
function ending(state: SecretState, policy: Policy, now: Date, users: string | undefined) {
  const limit = graceLimitAt(state, policy);
  if (users === undefined || now >= limit)
    return { kind: "grace-over" as const, at: graceEndsAt(state, policy).toISOString() };
  const day = now.toISOString().slice(0, 10);
  return { kind: "in-use" as const, at: limit.toISOString(), reason: users, day };
}
