import type { Request } from "../../core/request";
import { RequestRefusedError } from "../../core/request";
import { decideAll } from "./decisions";
import { OperationError } from "./errors";
import { checkSecrets, hasPassed, type PreflightResult } from "./preflight";
import type { RunContext } from "./run-context";
import { readResources } from "./state-resources";

/**
 * The preflight of what is about to act, as the update runs it too, before the plan is shown.
 * @returns the results if one check failed
 * @throws OperationError for a request that the update would refuse
 */
export async function checkFirst(
  { project, config, listener, engine, before }: RunContext,
  request: Request | undefined,
): Promise<PreflightResult[] | undefined> {
  const resources = await readResources(project);
  const { request: _, ...rest } = config;
  const asked = request === undefined ? rest : { ...rest, request };
  const decisions = await decideAll(asked, config.secrets, before, resources).catch((error: unknown) => {
    throw error instanceof RequestRefusedError ? new OperationError(error.message) : error;
  });
  for (const decision of decisions) {
    const { secret, deferred } = decision;
    if (hasPassed(decision, resources))
      listener.note(`${secret}: an earlier update was interrupted; this one continues it`);
    if (deferred !== undefined) listener.note(`${secret}: request ${deferred} is carried out by the update after that`);
  }
  const acts = decisions.filter(({ action }) => action !== undefined && action !== "REVOKE");
  const fresh = acts.filter((decision) => !hasPassed(decision, resources));
  if (fresh.length === 0) return undefined;
  listener.step("preflight: checking everything the rotation will touch");
  const results = await checkSecrets(project, config, fresh, await engine.exportState());
  listener.preflight(results);
  return results.every(({ ok }) => ok) ? undefined : results;
}
