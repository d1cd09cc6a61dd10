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
  const step = { stack: approvals.stack, secret, action, generation: to };
  const others = otherPlans(approvals.given, step).filter(({ by }) => !approvedBy.includes(by));
  const asked = { required, by: approvedBy, ...(others.length === 0 ? {} : { others }) };
  const plan = { ...decision, hash, ...(required === 0 ? {} : { approvals: asked }) };
  const lacking = lackingApprovals(plan);
  if (lacking !== undefined && !pulumi.runtime.isDryRun())
    throw new RequestRefusedError(`${lacking}. Nothing was changed`);
  if (lacking !== undefined) void pulumi.log.warn(lacking);
  const recorded = { ...state.step, plan: hash, ...(required === 0 ? {} : { approvedBy }) };
  return { ...plan, secret, to, state: { ...state, step: recorded } };
}

/** Approvals of a step by whatever plan, one of each approver. */
function otherPlans(given: Approvals["given"], wanted: Omit<Approved, "plan">): { by: string; plan: string }[] {
  const same = given.filter(
    (one) =>
      one.stack === wanted.stack &&
      one.secret === wanted.secret &&
      one.action === wanted.action &&
      one.generation === wanted.generation,
  );
  return [...new Map(same.map(({ by, plan }) => [by, { by, plan }])).values()];
}
