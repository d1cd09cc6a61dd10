import type { SecretConfig } from "../../../config";
import type { Calendar, Window } from "../../../core/calendar";
import { type DecideInputs, decide, type Rules } from "../../../core/decide";
import { DEFAULT_POLICY, type Policy } from "../../../core/policy";
import type { SecretState } from "../../../core/state";
import { kindFor } from "../../../kinds";

export const NEW_YORK = "America/New_York";

export const WEEKEND: Window = { days: ["SAT", "SUN"], from: "02:00", to: "05:00", timezone: NEW_YORK };
const calendar = (more: Partial<Calendar> = {}): Calendar => ({
  windows: [WEEKEND],
  blackouts: [],
  market: undefined,
  paused: undefined,
  timezone: NEW_YORK,
  takes: 7 * 60_000,
  ...more,
});
export const policyWith = (more: Partial<Calendar> = {}, own: Partial<Policy> = {}): Policy => ({
  ...DEFAULT_POLICY,
  ...own,
  calendar: calendar(more),
});

export const rulesOf = (own: object, seen: object = {}, alpacaKeys: object = {}): Rules => {
  const secret = { name: "a/b", restart: [], ...own } as unknown as SecretConfig;
  return kindFor(secret).rules(
    secret,
    { policy: DEFAULT_POLICY, preflight: {}, adopted: { "a/b": "x" }, alpacaKeys } as never,
    seen,
  );
};
const password = rulesOf({ kind: "postgres-password", strategy: "alternating-users" });

export function decideAt(
  now: string | number,
  policy: Policy,
  finished: SecretState | undefined,
  more: Partial<DecideInputs> = {},
) {
  const base = { secret: "a/b", now: new Date(now), policy, rules: password, request: undefined };
  return decide({ ...base, finished, recorded: finished, ...more });
}

/** Rotated on Tuesday, 2026-09-08 15:00 UTC: its limit is Monday, 2026-12-07 15:00 UTC. */
export const made = decideAt("2026-09-08T15:00:00Z", DEFAULT_POLICY, undefined).state;
export const settled = { ...made, revoked: true };
