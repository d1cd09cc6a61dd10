import type * as z from "zod";
import {
  type CheckResult,
  preflightInput as everyInput,
  type KindChecks,
  type OwnChecks,
  overridesOf,
  runChecks,
} from "../components/preflight/preflight";
import { passwordChecks } from "./postgres-password/preflight/own-checks";
import { redisChecks } from "./redis-password/preflight";
import { leaseChecks } from "./vault-dynamic/preflight";
import { vaultRoleChecks } from "./vault-static/preflight";

/** The kinds' own checks, by the key of their part of the input (`KindAsks.own`). A secret has one at the most. */
const PARTS = { database: passwordChecks, vaultRole: vaultRoleChecks, leases: leaseChecks, redis: redisChecks };

/** The whole input of one secret's preflight. */
export const preflightInput = everyInput.extend({
  database: PARTS.database.input.optional(),
  vaultRole: PARTS.vaultRole.input.optional(),
  leases: PARTS.leases.input.optional(),
  redis: PARTS.redis.input.optional(),
});

export type PreflightInput = z.output<typeof preflightInput>;

/** The kind's own part. */
function ownChecks(given: PreflightInput): OwnChecks {
  const key = (Object.keys(PARTS) as (keyof typeof PARTS)[]).find((one) => given[one] !== undefined);
  if (key === undefined) return { isStored: true, checks: [] };
  return (PARTS[key] as KindChecks<unknown>).of(given[key], given);
}

/** Runs every check, all at once. */
export const runPreflight = (given: PreflightInput): Promise<CheckResult[]> => runChecks(given, ownChecks(given));

/** What the step prints if every check passes. */
export async function answerOf(given: PreflightInput, results: readonly CheckResult[]) {
  const own = ownChecks(given);
  return { ...(await own.answer?.()), overrides: overridesOf(given, own, results) };
}
