import { isLeased } from "../config";
import { assertRestorable, type Request, RequestRefusedError } from "../rotation/request";
import { previousGeneration, type SecretState } from "../rotation/state";
import { Engine } from "./engine";
import { isHalfDone } from "./half-done";
import { readOutputs } from "./outputs";
import { secretsNamed } from "./preflight";
import type { Project } from "./project";
import { readOutline } from "./settings";
import { readCheckpoint } from "./state-file";

/**
 * The generation that a rollback without a target returns to: the one before the active one. After an update that died
 * half-way the outputs still name the generation that services know, and that one is meant.
 * @throws RequestRefusedError where there is nothing to roll back to
 */
export async function rollbackTarget(project: Project, secret: string): Promise<number> {
  const outline = await readOutline(project);
  const [config] = secretsNamed(outline, [secret]);
  if (config !== undefined && isLeased(config)) {
    throw new RequestRefusedError(
      `${secret} is made by Vault for a short time (vault-dynamic), and a lease that has ended cannot be brought back: ` +
        `nothing to roll back to. \`rotation rotate-now ${secret} --reason "..."\` has every service fetch a new login`,
    );
  }
  const state = (await readOutputs(project))[secret]?.state;
  // Nothing finished yet: what the platform had is generation 0.
  if (state === undefined) {
    await assertBegun(project, secret);
    return 0;
  }
  if (await isUnfinished(project, secret, state)) return state.slots[state.active];
  const previous = previousGeneration(state);
  if (previous === undefined) {
    throw new RequestRefusedError(
      state.vaultRotation === undefined
        ? `${secret} has only generation ${state.slots[state.active]}: nothing to roll back to`
        : `${secret} is rotated by Vault, which keeps no earlier password: nothing to roll back to. ` +
            `\`rotation rotate-now ${secret} --reason "..."\` has Vault make another one`,
    );
  }
  return previous;
}

/**
 * Whether a rollback can name this generation, as far as the outputs say, before the engine is started for it.
 * @throws RequestRefusedError with those that can be had
 */
export async function assertTarget(project: Project, request: Request, target: number): Promise<void> {
  secretsNamed(await readOutline(project), [request.secret]);
  const state = (await readOutputs(project))[request.secret]?.state;
  // Only the decrypted config knows whether there is an adopted value; the update looks again.
  if (state === undefined) await assertBegun(project, request.secret);
  else assertRestorable(request, target, state, true);
}

/** The very first update can be taken back once it has begun to change something. @throws RequestRefusedError */
async function assertBegun(project: Project, secret: string): Promise<void> {
  if (await isUnfinished(project, secret, undefined)) return;
  throw new RequestRefusedError(
    `stack ${project.stack} has not taken ${secret} over yet: nothing to roll back. ` +
      `\`rotation run --stack ${project.stack}\` takes it over`,
  );
}

async function isUnfinished(project: Project, secret: string, state: SecretState | undefined): Promise<boolean> {
  const deployment = readCheckpoint(project) ?? (await (await Engine.open(project)).exportState()).deployment;
  return isHalfDone(deployment.resources ?? [], secret, state);
}
