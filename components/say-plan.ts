import { appendFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { describePlan, PLANS_FILE, type Plan } from "../core/plan";

/** Reports what happens to a secret: a sentence for people, and data for the CLI if it requests that. */
export function sayPlan({ secret, action, from, to, reason, resumes, deferred, waits, hash, approvals }: Plan): void {
  const plan: Plan = {
    secret,
    action,
    from,
    to,
    reason,
    ...(resumes === undefined ? {} : { resumes }),
    ...(deferred === undefined ? {} : { deferred }),
    ...(waits === undefined ? {} : { waits }),
    ...(hash === undefined ? {} : { hash }),
    ...(approvals === undefined ? {} : { approvals }),
  };
  void pulumi.log.info(describePlan(plan));
  const file = process.env[PLANS_FILE];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(plan)}\n`);
}
