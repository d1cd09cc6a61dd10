import { isLeased, isRotatedByVault, policyOf, type SecretConfig, type VaultDynamicConfig } from "../config";
import { dueAt, graceEndsAt } from "../rotation/next-state";
import type { Policy } from "../rotation/policy";
import { activeGeneration, previousGeneration, type SecretState } from "../rotation/state";
import type { LogRow } from "./audit-log";
import type { SecretOutput } from "./outputs";
import type { Outline } from "./settings";

/**
 * How a secret stands. `warning` from five days before its maximum age (day 85), `alert` from two days before (day 88),
 * `due` as soon as an update would rotate it, `overdue` past the maximum age, `new` before the first update.
 */
export type Standing = "ok" | "warning" | "alert" | "due" | "overdue" | "new";

/** One secret, as `rotation status` shows it. Dates are ISO 8601 in UTC, ages in days. */
export interface SecretStatus {
  readonly name: string;
  readonly kind: string;
  readonly strategy: string;
  readonly store: string;
  readonly standing: Standing;
  readonly generation: number | null;
  readonly rotatedAt: string | null;
  readonly ageDays: number | null;
  readonly maxAgeDays: number;
  /** Until the maximum age; negative when it is past. */
  readonly daysLeft: number | null;
  readonly dueAt: string | null;
  /** The credential before, and how long it stays usable; null where there is none. */
  readonly previous: { readonly generation: number; readonly revoked: boolean; readonly validUntil: string } | null;
  /** For logins that Vault makes: how long they last from one renewal to the next and at the most, seconds. */
  readonly lease?: { readonly defaultTtlSeconds: number; readonly maxTtlSeconds: number };
  /**
   * For a password that Vault rotates: its last rotation that services were restarted for, and when its next one comes by
   * itself (null where it has a schedule).
   */
  readonly vault?: { readonly lastRotation: string; readonly nextRotation: string | null };
  /** The last row of the audit log; null where there is none, or where the log was not asked. */
  readonly lastRow: {
    readonly action: string;
    readonly status: string;
    readonly rotatedBy: string;
    readonly rotationDate: string;
    readonly reason: string | null;
  } | null;
}

const DAY = 86_400_000;
const WARNING = 5 * DAY;
const ALERT = 2 * DAY;

/** How a secret of that age stands. Pure: the clock is an argument. */
export function standingOf(state: SecretState, policy: Policy, now: Date): Standing {
  const age = now.getTime() - Date.parse(state.rotatedAt);
  if (age > policy.maxAge) return "overdue";
  if (now >= dueAt(state, policy)) return "due";
  if (age >= policy.maxAge - ALERT) return "alert";
  return age >= policy.maxAge - WARNING ? "warning" : "ok";
}

/** Every secret of the config, in its order. */
export function statusOf(
  outline: Outline,
  outputs: Readonly<Record<string, SecretOutput>>,
  rows: readonly LogRow[],
  now: Date,
): SecretStatus[] {
  return outline.secrets.map((secret) => {
    const output = outputs[secret.name];
    const policy = policyOf(outline, secret);
    return {
      name: secret.name,
      kind: secret.kind,
      strategy: output?.strategy ?? (secret as { strategy?: string }).strategy ?? secret.kind,
      store: output?.store ?? outline.store.kind,
      maxAgeDays: policy.maxAge / DAY,
      ...ages(output?.state, policy, now),
      ...(isLeased(secret) ? leaseAges(secret, output?.state) : {}),
      ...madeByVault(secret, output?.state),
      lastRow: lastRowOf(secret.name, outline.environment, rows),
    };
  });
}

/** A lease is never due; the most that one can live is its `maxTtl`. */
function leaseAges({ maxTtl }: VaultDynamicConfig, state: SecretState | undefined) {
  const standing: Standing = state === undefined ? "new" : "ok";
  return { standing, maxAgeDays: maxTtl / DAY, ageDays: null, daysLeft: null, dueAt: null };
}

/** What only a secret that Vault makes has. */
function madeByVault(secret: SecretConfig, state: SecretState | undefined): Pick<SecretStatus, "lease" | "vault"> {
  if (isLeased(secret)) {
    return { lease: { defaultTtlSeconds: secret.defaultTtl / 1000, maxTtlSeconds: secret.maxTtl / 1000 } };
  }
  const lastRotation = state?.vaultRotation;
  if (!isRotatedByVault(secret) || lastRotation === undefined) return {};
  const { rotationPeriod: period } = secret;
  const nextRotation = period === undefined ? null : new Date(Date.parse(lastRotation) + period).toISOString();
  return { vault: { lastRotation, nextRotation } };
}

function ages(state: SecretState | undefined, policy: Policy, now: Date) {
  if (state === undefined) {
    const nothing = { generation: null, rotatedAt: null, ageDays: null, daysLeft: null, dueAt: null, previous: null };
    return { standing: "new" as const, ...nothing };
  }
  const age = now.getTime() - Date.parse(state.rotatedAt);
  const previous = previousGeneration(state);
  return {
    standing: standingOf(state, policy, now),
    generation: activeGeneration(state),
    rotatedAt: state.rotatedAt,
    ageDays: inDays(age),
    daysLeft: inDays(policy.maxAge - age),
    dueAt: dueAt(state, policy).toISOString(),
    previous:
      previous === undefined
        ? null
        : { generation: previous, revoked: state.revoked, validUntil: graceEndsAt(state, policy).toISOString() },
  };
}

function lastRowOf(name: string, environment: string, rows: readonly LogRow[]): SecretStatus["lastRow"] {
  const own = rows.filter((row) => row.secretName === name && (row.environment ?? environment) === environment);
  const last = own.toSorted((a, b) => a.id - b.id).at(-1);
  if (last === undefined) return null;
  const { action, status, rotatedBy, rotationDate, reason } = last;
  return { action, status, rotatedBy, rotationDate: rotationDate.toISOString(), reason };
}

/** Whether something has to be done now: exit code 3. */
export const needsRotation = (statuses: readonly Pick<SecretStatus, "standing">[]): boolean =>
  statuses.some(({ standing }) => standing === "due" || standing === "overdue" || standing === "new");

const inDays = (milliseconds: number) => Math.round((milliseconds / DAY) * 10) / 10;
