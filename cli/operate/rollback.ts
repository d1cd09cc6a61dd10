import { begunOf } from "../../core/begun";
import { assertRestorable, type Request, RequestRefusedError } from "../../core/request";
import { activeGeneration, previousGeneration, type SecretState } from "../../core/state";
import { operationsOf } from "../../kinds/operations";
import { readOutputs } from "./outputs";
import { secretsNamed } from "./preflight";
import type { Project } from "./project";
import { readOutline } from "./settings";
import { readResources } from "./state-resources";

/** A secret's finished and unfinished state. */
interface Standing {
  /** As the last finished update left it. */
  readonly finished: SecretState | undefined;
  /** What an interrupted update had begun. */
  readonly begun: SecretState | undefined;
}

/**
 * The generation that a rollback without a target returns to: the previous one. After an interrupted update it is the one
 * that services had before that; an interrupted rollback is finished.
 * @throws RequestRefusedError if there is nothing to roll back to
 */
export async function rollbackTarget(project: Project, secret: string): Promise<number> {
  const outline = await readOutline(project);
  const [config] = secretsNamed(outline, [secret]);
  const noWayBack = config && operationsOf(config).noWayBack(secret);
  if (noWayBack !== undefined) throw new RequestRefusedError(noWayBack);
  return targetOf(secret, await standingOf(project, secret));
}

/** {@link rollbackTarget} of a secret in this state. Pure. @throws RequestRefusedError */
export function targetOf(secret: string, { finished, begun }: Standing): number {
  if (begun?.step.action === "ROLLBACK") return activeGeneration(begun);
  if (begun !== undefined && begun.step.action !== "REVOKE") {
    // No update has finished yet: what the platform had is generation 0.
    return finished === undefined ? 0 : activeGeneration(finished);
  }
  const state = begun ?? finished;
  const previous = state && previousGeneration(state);
  if (state === undefined) throw new Error("a secret without a state is refused before");
  if (previous === undefined) {
    throw new RequestRefusedError(`${secret} has only generation ${activeGeneration(state)}: nothing to roll back to`);
  }
  return previous;
}

/**
 * Checks by the stack's state that a rollback can return to this generation, before the engine is started.
 * @throws RequestRefusedError that names the possible generations
 */
export async function assertTarget(project: Project, request: Request, target: number): Promise<void> {
  secretsNamed(await readOutline(project), [request.secret]);
  const { finished, begun } = await standingOf(project, request.secret);
  // Only the decrypted config knows whether there is an adopted value; the update checks again.
  const state = begun ?? finished;
  if (state !== undefined) assertRestorable(request, target, state, true);
}

/** @throws RequestRefusedError for a secret that no update has begun to adopt */
async function standingOf(project: Project, secret: string): Promise<Standing> {
  const [outputs, resources] = await Promise.all([readOutputs(project), readResources(project)]);
  const [finished, begun] = [outputs[secret]?.state, begunOf(resources, secret)];
  if (finished !== undefined || begun !== undefined) return { finished, begun };
  throw new RequestRefusedError(
    `stack ${project.stack} has not adopted ${secret} yet: nothing to roll back. ` +
      `\`rotation run --stack ${project.stack}\` adopts it`,
  );
}
