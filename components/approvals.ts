import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import type { Approved } from "../core/approval";
import type { Decision } from "../core/decide";
import { lackingApprovals } from "../core/plan";
import { RequestRefusedError } from "../core/request";

/** What the approvals of a stack are held to. */
export interface Approvals {
  /** The digest of config and program: `planDigest`. */
  readonly digest: string;
  readonly stack: string;
  /** How many approvals an update needs; 0: none. */
  readonly required: number;
  readonly given: readonly (Approved & { readonly by: string })[];
}

/**
 * The hash of what is decided on a secret: the same in a preview and in the update, also on another machine, at another time
 * and by a request of another id, and different if the decision, the config or the program is another one.
 */
export function planHash({ digest, stack }: Pick<Approvals, "digest" | "stack">, decision: Decision): string {
  const { secret, action, from, to, mode, force, state } = decision;
  const { slots, active, labels, step } = state;
  const decided = { stack, secret, action, from, to, mode, force, slots, active, labels, sequence: step.sequence };
  return createHash("sha256")
    .update(JSON.stringify([digest, decided]))
    .digest("hex");
}

/**
 * The decision with the plan's hash and its approvals, which its audit row names.
 *
 * @throws RequestRefusedError in an update of a plan that lacks approvals; nothing was changed
 */
export function held(decision: Decision, approvals: Approvals): Decision {
  const { action, resumes, secret, to, state } = decision;
  // What was begun was approved then; the end of a grace period follows from the rotation.
  if (action === undefined || action === "REVOKE" || resumes) return decision;
  const hash = planHash(approvals, decision);
  const by = approvals.given.filter(({ plan }) => plan === hash).map((approval) => approval.by);
  const approvedBy = [...new Set(by)].sort();
  // Back from what failed half-way: nobody may have to wait for people then.
  const goesBack = action === "ROLLBACK" && decision.begun !== undefined;
  const required = goesBack ? 0 : approvals.required;
  const plan = { ...decision, hash, ...(required === 0 ? {} : { approvals: { required, by: approvedBy } }) };
  const lacking = lackingApprovals(plan);
  if (lacking !== undefined && !pulumi.runtime.isDryRun())
    throw new RequestRefusedError(`${lacking}. Nothing was changed`);
  if (lacking !== undefined) void pulumi.log.warn(lacking);
  const step = { ...state.step, plan: hash, ...(required === 0 ? {} : { approvedBy }) };
  return { ...plan, secret, to, state: { ...state, step } };
}
