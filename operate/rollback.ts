import { RequestRefusedError } from "../rotation/request";
import { previousGeneration } from "../rotation/state";
import { readOutputs } from "./outputs";
import { secretsNamed } from "./preflight";
import type { Project } from "./project";
import { readOutline } from "./settings";

/**
 * The generation that a rollback without a target returns to: the one before the active one. After an update that died
 * half-way the outputs still name the generation that services know, and that one is meant.
 * @throws RequestRefusedError where there is nothing to roll back to
 */
export async function rollbackTarget(project: Project, secret: string): Promise<number> {
  const outline = await readOutline(project);
  secretsNamed(outline, [secret]);
  const state = (await readOutputs(project))[secret]?.state;
  // Nothing finished yet: what the platform had is generation 0.
  if (state === undefined) return 0;
  if (await isHalfDone(project, secret)) return state.slots[state.active];
  const previous = previousGeneration(state);
  if (previous === undefined) {
    throw new RequestRefusedError(
      `${secret} has only generation ${state.slots[state.active]}: nothing to roll back to`,
    );
  }
  return previous;
}

/** Whether the last row of this secret in the log says that its rotation failed. */
async function isHalfDone(project: Project, secret: string): Promise<boolean> {
  const { readLog } = await import("./audit-log");
  const { lastRowOfEach } = await import("../audit/queries");
  const outline = await readOutline(project);
  const rows = await readLog(outline, (client) =>
    lastRowOfEach(client, { secretName: secret, environment: outline.environment }),
  ).catch(() => undefined);
  const last = rows?.toSorted((a, b) => a.id - b.id).at(-1);
  return last?.status === "FAILED" && last.action !== "ROLLBACK";
}
