import type { Resolved } from "./resume";
import { activeGeneration, type SecretState } from "./state";

/**
 * The environment variable with the file to which the program writes its plans for the CLI, each a line of JSON. The CLI
 * reads that, never the messages for people.
 */
export const PLANS_FILE = "SECRET_ROTATION_PLANS_FILE";

/** What this update will do to one secret. */
export interface Plan {
  readonly secret: string;
  /** Undefined if nothing happens. */
  readonly action: SecretState["step"]["action"] | undefined;
  readonly from: number | undefined;
  readonly to: number;
  readonly reason: string;
  /** Whether it finishes what an interrupted update had begun. */
  readonly resumes?: boolean;
  /** The id of a request that waits for that and is carried out by the next update. */
  readonly deferred?: string;
  /** What its rotation waits for, in words; only if the config limits when rotations run. */
  readonly waits?: string;
  /** SHA-256 of the decision, the config and the program: what people approve. Unset if nothing happens. */
  readonly hash?: string;
  /** How many must approve it and who did; only if the config asks for that. */
  readonly approvals?: {
    readonly required: number;
    readonly by: readonly string[];
    /** Who approved the same step of another plan, and that plan's hash. */
    readonly others?: readonly { readonly by: string; readonly plan: string }[];
  };
}

/** What a plan lacks, in words; undefined if it may be carried out. */
export function lackingApprovals({ secret, hash, approvals }: Plan): string | undefined {
  if (approvals === undefined || hash === undefined || approvals.by.length >= approvals.required) return undefined;
  const { required, by, others = [] } = approvals;
  const who = by.length === 0 ? "nobody has" : `only ${by.join(", ")} ${by.length === 1 ? "has" : "have"}`;
  const another = others.map((other) => `${other.by} approved plan ${other.plan.slice(0, 16)}`).join(", ");
  const since = another === "" ? "" : ` (${another}: config, program or decision were others then)`;
  return `${secret}: plan ${hash.slice(0, 16)} needs the approval of ${required}, and ${who} approved it${since}: each of them runs \`rotation approve\` and commits the file`;
}

/** Compares the state before with the state after. */
export function planOf(
  secret: string,
  before: SecretState | undefined,
  { state: after, resumes, deferred }: Resolved,
  { waits, outside }: { readonly waits?: string; readonly outside?: string } = {},
): Plan {
  const acts = before === undefined || before.step.sequence !== after.step.sequence;
  return {
    secret,
    action: acts ? after.step.action : undefined,
    from: before === undefined ? undefined : activeGeneration(before),
    to: activeGeneration(after),
    reason: [
      acts ? after.step.reason : (waits ?? "nothing is due"),
      ...(acts && !resumes ? passedOver(after) : []),
      ...(acts && waits !== undefined ? [`its rotation ${waits}`] : []),
      ...(resumes
        ? [`finishes what an interrupted update had begun${outside === undefined ? "" : `, though ${outside}`}`]
        : []),
      ...(deferred === undefined ? [] : [`request ${deferred.id} acts in the next update`]),
    ].join("; "),
    ...(resumes ? { resumes } : {}),
    ...(deferred === undefined ? {} : { deferred: deferred.id }),
    ...(waits === undefined ? {} : { waits }),
  };
}

/** What a rotation did not wait for, said in each plan: the operator may not know of it. */
const passedOver = ({ window }: SecretState): string[] =>
  window !== undefined && "passedOver" in window ? [`does not wait, though ${window.passedOver}`] : [];

/** One sentence for a reviewer. */
export function describePlan({ secret, action, from, to, reason }: Plan): string {
  switch (action) {
    case undefined:
      return `${secret}: stays at generation ${to} (${reason})`;
    case "ADOPT":
      if (from !== undefined) return `${secret}: adopts the credential in use as generation ${to} (${reason})`;
      return to === 0
        ? `${secret}: adopts the credential in use`
        : `${secret}: adopts the credential in use and rotates to generation ${to}`;
    case "ROTATE":
      return `${secret}: rotates from generation ${from} to ${to} (${reason})`;
    case "ROLLBACK":
      return `${secret}: rolls back to generation ${to} (${reason})`;
    case "REVOKE":
      return `${secret}: ends the credential before generation ${to} (${reason})`;
  }
}
