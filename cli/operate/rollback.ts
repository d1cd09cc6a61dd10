import { begunOf } from "../../core/begun";
import { assertRestorable, type Request, RequestRefusedError } from "../../core/request";
import { activeGeneration, previousGeneration, type SecretState } from "../../core/state";
import { operationsOf } from "../../kinds/operations";
import { readOutputs } from "./outputs";
import { secretsNamed } from "./preflight";
import type { Project } from "./project";
import { readOutline } from "./settings";
import { readResources } from "./state-resources";

/** A secret as far as it came. */
interface Standing {
  /** As the last finished update left it. */
  readonly finished: SecretState | undefined;
  /** What an interrupted update had begun. */
  readonly begun: SecretState | undefined;
}

/**
 * The generation that a rollback without a target returns to: the one before the active one. After an update that was
 * interrupted it is the one that services had before that; a rollback that was interrupted is finished.
 * @throws RequestRefusedError where there is nothing to roll back to
 */
export async function rollbackTarget(project: Project, secret: string): Promise<number> {
  const outline = await readOutline(project);
  const [config] = secretsNamed(outline, [secret]);
  const noWayBack = config && operationsOf(config).noWayBack(secret);
  if (noWayBack !== undefined) throw new RequestRefusedError(noWayBack);
  return targetOf(secret, await standingOf(project, secret));
}

/** {@link rollbackTarget} of a secret that stands so. Pure. @throws RequestRefusedError */
export function targetOf(secret: string, { finished, begun }: Standing): number {
  if (begun?.step.action === "ROLLBACK") return activeGeneration(begun);
  if (begun !== undefined && begun.step.action !== "REVOKE") {
    // Nothing finished yet: what the platform had is generation 0.
    return finished === undefined ? 0 : activeGeneration(finished);
  }
  const state = begun ?? finished;
  const previous = state && previousGeneration(state);
  if (state === undefined) throw new Error("what was never begun is refused before");
  if (previous === undefined) {
    throw new RequestRefusedError(`${secret} has only generation ${activeGeneration(state)}: nothing to roll back to`);
  }
  return previous;
}

/**
 * Whether a rollback can name this generation, as far as the stack's state says, before the engine is started for it.
 * @throws RequestRefusedError with those that can be had
 */
export async function assertTarget(project: Project, request: Request, target: number): Promise<void> {
  secretsNamed(await readOutline(project), [request.secret]);
  const { finished, begun } = await standingOf(project, request.secret);
  // Only the decrypted config knows whether there is an adopted value; the update looks again.
  const state = begun ?? finished;
  if (state !== undefined) assertRestorable(request, target, state, true);
}

/** @throws RequestRefusedError for a secret that no update has begun to take over */
async function standingOf(project: Project, secret: string): Promise<Standing> {
  const [outputs, resources] = await Promise.all([readOutputs(project), readResources(project)]);
  const [finished, begun] = [outputs[secret]?.state, begunOf(resources, secret)];
  if (finished !== undefined || begun !== undefined) return { finished, begun };
  throw new RequestRefusedError(
    `stack ${project.stack} has not adopted ${secret} yet: nothing to roll back. ` +
      `\`rotation run --stack ${project.stack}\` adopts it`,
  );
}
