import type { KeptWatch } from "../../audit/login-watch";
import { policyOf } from "../../config";
import { recordedOf, type StateResource, unfinishedOf } from "../../core/begun";
import { ageOf, dueAt, graceEndsAt, standingByAge } from "../../core/deadlines";
import type { Watch } from "../../core/disuse";
import type { Policy } from "../../core/policy";
import { activeGeneration, previousGeneration, type SecretState } from "../../core/state";
import { DAY } from "../../core/time";
import { outlookOf } from "../../core/waiting";
import { localTime } from "../../core/wall-clock";
import type { OwnStatus } from "../../kinds/kind-operations";
import { operationsOf } from "../../kinds/operations";
import { traitsOf } from "../../kinds/schemas";
import type { LogRow } from "./audit-log";
import type { SecretOutput } from "./outputs";
import type { Outline } from "./settings";

/**
 * A secret's status. `warning` from five days before its maximum age (day 85), `alert` from two days before (day 88), `due`
 * as soon as an update would rotate it or if its age is unknown, `overdue` past the maximum age, `new` before the first
 * update, `unfinished` if an update was interrupted, `failed` if the last action failed and nothing else applies.
 */
export const STANDINGS = ["ok", "warning", "alert", "due", "overdue", "new", "unfinished", "failed"] as const;

export type Standing = (typeof STANDINGS)[number];

/** One secret, as `rotation status` shows it. Dates are ISO 8601 in UTC, ages in days. */
export interface SecretStatus extends OwnStatus {
  readonly name: string;
  readonly kind: string;
  readonly strategy: string;
  readonly store: string;
  readonly standing: Standing;
  readonly generation: number | null;
  readonly rotatedAt: string | null;
  /** Null if unknown: of an adopted credential without a date (`inUseBefore`). */
  readonly ageDays: number | null;
  /** Of a credential of unknown age: a time at which it was already in use. Null for any other. */
  readonly inUseBefore: string | null;
  readonly maxAgeDays: number;
  /** Until the maximum age; negative when it is past. */
  readonly daysLeft: number | null;
  readonly dueAt: string | null;
  /** The previous credential, and how long it stays usable; null if there is none. */
  readonly previous: {
    readonly generation: number;
    readonly revoked: boolean;
    readonly validUntil: string;
    /** Who was seen with it since the rotation; only while it is usable, if somebody looked (`rotation watch`). */
    readonly watch?: Watch;
  } | null;
  /** What an interrupted update had begun, which the next one finishes; null if nothing is unfinished. */
  readonly unfinished: { readonly action: string; readonly generation: number; readonly at: string } | null;
  /** Only if the config limits when rotations run. */
  readonly window?: WindowStatus;
  /** Only if the config pauses it. `isOver`: the pause has ended, and the config still has it. */
  readonly paused?: { readonly until: string; readonly reason: string; readonly isOver: boolean };
  /** The command that supplies a new value, of a secret whose values this pipeline cannot make. */
  readonly supply?: string;
  /** The last row of the audit log; null if there is none, or the log was not read. */
  readonly lastRow: {
    readonly action: string;
    readonly status: string;
    readonly rotatedBy: string;
    readonly rotationDate: string;
    readonly reason: string | null;
  } | null;
}

/** When the next rotation by age may run. Dates are ISO 8601 in UTC; null if no opening is in sight. */
export interface WindowStatus {
  readonly opensAt: string | null;
  readonly closesAt: string | null;
  /** The same for people, in the time zone of the window. */
  readonly opens: string | null;
  /** How many openings are left before the maximum age, the present one included. */
  readonly left: number;
  /** What it waits for, in words; null if it is not due, or may begin now. */
  readonly waits: string | null;
  /** That no opening is left before its maximum age, and what to do, in words; else null. */
  readonly alarm: string | null;
}

/** What determines a secret's status, beside the outputs. */
export interface Evidence {
  readonly rows: readonly LogRow[];
  /** Resources of the stack's state, which record what was begun. */
  readonly resources?: readonly StateResource[];
  /** What was seen of previous logins. */
  readonly watches?: readonly KeptWatch[];
}

/** Every secret of the config, in its order. */
export function statusOf(
  outline: Outline,
  outputs: Readonly<Record<string, SecretOutput>>,
  { rows, resources = [], watches = [] }: Evidence,
  now: Date,
): SecretStatus[] {
  return outline.secrets.map((secret) => {
    const output = outputs[secret.name];
    const policy = policyOf(outline, secret);
    const begun = unfinishedOf(output?.state, recordedOf(resources, secret.name));
    const operations = operationsOf(secret);
    const own = operations.status(secret, output?.state);
    const byAge = {
      ...ages(output?.state, policy, now, operations.supply !== undefined),
      ...(traitsOf(secret).ages ? {} : ageless(own, output?.state)),
    };
    const failed = lastFailure(secret.name, outline.environment, output?.state, rows) !== undefined;
    return {
      name: secret.name,
      kind: secret.kind,
      strategy: output?.strategy ?? (secret as { strategy?: string }).strategy ?? secret.kind,
      store: output?.store ?? outline.store.kind,
      maxAgeDays: policy.maxAge / DAY,
      ...byAge,
      previous: watchedPrevious(byAge.previous, watches, secret.name),
      standing: standingOf(byAge.standing, begun, failed),
      unfinished: begun === undefined ? null : unfinished(begun),
      ...own,
      ...calendarStatus(output?.state, policy, now),
      ...(operations.supply === undefined ? {} : { supply: `rotation ${operations.supply.command(secret.name)}` }),
      lastRow: lastRowOf(secret.name, outline.environment, rows),
    };
  });
}

function watchedPrevious(
  previous: SecretStatus["previous"],
  watches: readonly KeptWatch[],
  name: string,
): SecretStatus["previous"] {
  const kept = watches.find(({ secret, generation }) => secret === name && generation === previous?.generation);
  return previous === null || previous.revoked || kept === undefined ? previous : { ...previous, watch: kept.watch };
}

/** An interrupted update takes precedence over any age; a failure shows only if nothing else has to be done. */
function standingOf(byAge: Standing, begun: SecretState | undefined, failed: boolean): Standing {
  if (begun !== undefined) return "unfinished";
  return failed && !needsRotation([{ standing: byAge }]) ? "failed" : byAge;
}

const unfinished = (begun: SecretState) => ({
  action: begun.step.action,
  generation: activeGeneration(begun),
  at: begun.step.at,
});

/** What does not age is never due; a lease lives at most for its `maxTtl`. */
function ageless({ lease }: OwnStatus, state: SecretState | undefined) {
  const standing: Standing = state === undefined ? "new" : "ok";
  const most = lease === undefined ? {} : { maxAgeDays: (lease.maxTtlSeconds * 1000) / DAY };
  return { standing, ageDays: null, inUseBefore: null, daysLeft: null, dueAt: null, ...most };
}

/** The calendar's part of a status; nothing if the config does not limit when rotations run. */
function calendarStatus(
  state: SecretState | undefined,
  policy: Policy,
  now: Date,
): Pick<SecretStatus, "window" | "paused"> {
  const { calendar } = policy;
  const outlook = state && outlookOf(state, policy, now);
  if (calendar === undefined) return {};
  const { paused, timezone } = calendar;
  const date = (time: number | undefined) => (time === undefined ? null : new Date(time).toISOString());
  return {
    ...(outlook === undefined
      ? {}
      : {
          window: {
            opensAt: date(outlook.next?.begins),
            closesAt: date(outlook.next?.end),
            opens: outlook.next === undefined ? null : localTime(outlook.next.begins, timezone),
            left: outlook.left,
            waits: outlook.waits ?? null,
            alarm: outlook.alarm ?? null,
          },
        }),
    ...(paused === undefined
      ? {}
      : {
          paused: {
            until: new Date(paused.until).toISOString(),
            reason: paused.reason,
            isOver: now.getTime() >= paused.until,
          },
        }),
  };
}

function ages(state: SecretState | undefined, policy: Policy, now: Date, isSupplied: boolean) {
  if (state === undefined) {
    const nothing = { generation: null, rotatedAt: null, daysLeft: null, dueAt: null, previous: null };
    return { standing: "new" as Standing, ageDays: null, inUseBefore: null, ...nothing };
  }
  const { known, since } = ageOf(state);
  const age = now.getTime() - Date.parse(state.rotatedAt);
  const previous = previousGeneration(state);
  // An operator who supplies the value must do so before the window opens.
  const waits = !isSupplied && outlookOf(state, policy, now)?.waits !== undefined;
  return {
    standing: standingByAge(state, policy, now, waits) as Standing,
    generation: activeGeneration(state),
    rotatedAt: state.rotatedAt,
    ageDays: known ? inDays(age) : null,
    inUseBefore: known ? null : since.toISOString(),
    daysLeft: known ? inDays(policy.maxAge - age) : null,
    dueAt: dueAt(state, policy).toISOString(),
    previous:
      previous === undefined
        ? null
        : { generation: previous, revoked: state.revoked, validUntil: graceEndsAt(state, policy).toISOString() },
  };
}

function lastRowOf(name: string, environment: string, rows: readonly LogRow[]): SecretStatus["lastRow"] {
  const last = lastOf(name, environment, rows);
  if (last === undefined) return null;
  const { action, status, rotatedBy, rotationDate, reason } = last;
  return { action, status, rotatedBy, rotationDate: rotationDate.toISOString(), reason };
}

function lastOf(name: string, environment: string, rows: readonly LogRow[]): LogRow | undefined {
  const own = rows.filter((row) => row.secretName === name && (row.environment ?? environment) === environment);
  return own.toSorted((a, b) => a.id - b.id).at(-1);
}

/** The last row, if it is a failure since the last step of the secret. */
export function lastFailure(
  name: string,
  environment: string,
  state: SecretState | undefined,
  rows: readonly LogRow[],
): LogRow | undefined {
  const last = lastOf(name, environment, rows);
  const since = new Date(state?.step.at ?? 0);
  return last?.status === "FAILED" && last.rotationDate >= since ? last : undefined;
}

const NEEDS: ReadonlySet<Standing> = new Set(["due", "overdue", "new", "unfinished", "failed"]);

/** Whether something has to be done now: exit code 3. */
export const needsRotation = (statuses: readonly Pick<SecretStatus, "standing">[]): boolean =>
  statuses.some(({ standing }) => NEEDS.has(standing));

const inDays = (milliseconds: number) => Math.round((milliseconds / DAY) * 10) / 10;
