import type { EngineResult, Step } from "./engine";
import { PHASES, type Phase, phaseOf, restartOf, secretOf } from "./phases";
import type { Outline } from "./settings";

/** How far a failed update came with one secret. */
export interface Failure {
  /** The secret whose part failed; undefined where it failed before or outside any. */
  readonly secret: string | undefined;
  readonly phase: Phase | undefined;
  readonly resource: string | undefined;
  /** The first line of what went wrong. */
  readonly reason: string;
  /** All of it. */
  readonly detail: string;
  /** Whether anything outside the stack's own state may have been changed. */
  readonly touched: boolean;
}

/** Where an update failed, out of what the engine said. */
export function failureOf(result: EngineResult, secrets: readonly string[]): Failure {
  const { errors } = result;
  const detail = errors.map(({ text }) => withoutCommandLine(text)).join("\n") || "the engine gave no reason";
  // No step fails where what one did could not be saved.
  const failedStep = result.failedStep ?? (isUnsaved({ detail }) ? furthest(result) : undefined);
  const resource = failedStep?.name ?? errors.find(({ resource: name }) => name !== undefined)?.resource;
  const phase = failedStep === undefined ? undefined : phaseOf(failedStep);
  return {
    secret: resource === undefined ? undefined : secretOf(resource, secrets),
    phase,
    resource,
    reason: reasonIn(detail),
    detail,
    touched: phase !== undefined && PHASES.indexOf(phase) >= PHASES.indexOf("database"),
  };
}

/** The step that came furthest; secrets rotate at the same time. */
function furthest({ steps }: EngineResult): Step | undefined {
  const rank = (step: Step) => PHASES.indexOf(phaseOf(step) ?? "preflight");
  return steps
    .filter(({ op }) => op !== "same")
    .toSorted((a, b) => rank(a) - rank(b))
    .at(-1);
}

/** Whether the engine could not save the state, as on a full disk: it knows less than it did. */
export const isUnsaved = ({ detail }: Pick<Failure, "detail">): boolean =>
  /failed to save snapshot|writing the new snapshot file/.test(detail);

/** A command's own words, without the script that the provider prints before them. */
function withoutCommandLine(text: string): string {
  return text.replace(/^(?:exit status|Process exited with status) \d+: running "(?:[^"\\]|\\.)*":\n/m, "");
}

/** The line that says most. */
const reasonIn = (detail: string): string =>
  (detail.split("\n").find((line) => line.trim() !== "") ?? detail).trim().slice(0, 500);

export interface Situation {
  readonly failure: Failure;
  readonly strategy: string;
  /** The generation that the stack's outputs name; undefined before the first finished update. */
  readonly from: number | undefined;
  readonly services: readonly string[];
  /** The service whose restart failed, if one did. */
  readonly stoppedAt: string | undefined;
}

/** The service whose restart failed. */
export function stoppedAt(failure: Failure, { services }: Pick<Outline, "services">): string | undefined {
  if (failure.phase !== "restart" || failure.resource === undefined || failure.secret === undefined) return undefined;
  return restartOf(failure.resource, failure.secret, services)?.service;
}

/** What holds now, in words: who uses what, and whether it works. */
export function describeSituation({ failure, strategy, from, services, stoppedAt: stopped }: Situation): string {
  const before = from === undefined ? "the credential that the platform had" : `generation ${from}`;
  const single = strategy === "single-user";
  switch (failure.phase) {
    case undefined:
    case "preflight":
      return `Nothing was changed: every service goes on with ${before}.`;
    case "new value":
      return `Nothing outside the stack was changed: every service goes on with ${before}.`;
    case "database":
      return single
        ? `The role may have its new password already, and the store still has ${before}: sessions that are open go on, new logins may fail. Finish or roll back now.`
        : `The login role of the new generation may be changed; nobody uses it. Every service goes on with ${before}, which works.`;
    case "verify":
    case "store":
      return single
        ? `The role has its new password, and services still hold ${before}: sessions that are open go on, new logins fail until the services are restarted. Finish or roll back now.`
        : `The new login exists; the store may name it already. Running services go on with ${before}, which works; one that restarts now reads what the store holds. Finish or roll back.`;
    case "restart":
      return restartSituation(before, single, services, stopped);
    case "confirm":
    case "settle":
      return "The new credential is in the store and every service was restarted; the last proof is missing. Finish with another run, or roll back.";
    case "audit":
      return "The rotation is done and in use; only its row in secret_rotation_log is missing. Another run writes it and nothing else.";
  }
}

function restartSituation(
  before: string,
  single: boolean,
  services: readonly string[],
  stopped: string | undefined,
): string {
  const index = stopped === undefined ? -1 : services.indexOf(stopped);
  const [done, rest] = index === -1 ? [[], services] : [services.slice(0, index), services.slice(index + 1)];
  const parts = ["The store has the new credential."];
  if (done.length > 0) parts.push(`${done.join(", ")}: restarted, healthy, on the new one.`);
  if (stopped !== undefined) parts.push(`${stopped}: restarted and not healthy; look at it first.`);
  if (rest.length > 0) {
    parts.push(
      `${rest.join(", ")}: not restarted, still on ${before}, ${single ? "whose new logins fail" : "which goes on working"}.`,
    );
  }
  return parts.join(" ");
}
