import type { CheckResult } from "../../components/preflight/preflight";
import type { Config } from "../../config";
import { isRecorded, recordedOf, type StateResource } from "../../core/begun";
import type { Decision, PreflightMode } from "../../core/decide";
import { activeGeneration } from "../../core/state";
import { decideOn } from "./decisions";
import { type Deployment, Engine } from "./engine";
import { UsageError } from "./errors";
import { readOutputs } from "./outputs";
import { preflightInputOf } from "./preflight-input";
import type { Project } from "./project";
import { readConfig } from "./settings";

export type { PreflightMode } from "../../core/decide";

/** The preflight of one secret. */
export interface PreflightResult {
  readonly secret: string;
  readonly ok: boolean;
  readonly checks: readonly CheckResult[];
}

/** Runs the preflight of the named secrets, or of all, without an update. @throws ConfigError, UsageError */
export async function preflight(
  project: Project,
  names: readonly string[],
  mode: PreflightMode,
): Promise<PreflightResult[]> {
  const [config, engine] = await Promise.all([readConfig(project), Engine.open(project)]);
  const [outputs, deployment] = await Promise.all([readOutputs(project), engine.exportState()]);
  const resources = deployment.deployment.resources ?? [];
  const decisions = await decideOn(config, secretsNamed(config, names), outputs, resources, mode);
  return checkSecrets(project, config, decisions, deployment);
}

/**
 * The preflights of what is decided, all at once, as in an update. What an interrupted update had begun is not checked
 * again: it passed then, and would now find its own half-written store.
 */
export async function checkSecrets(
  { stack }: Pick<Project, "stack">,
  config: Config,
  decisions: readonly Decision[],
  deployment: Deployment,
): Promise<PreflightResult[]> {
  const { runPreflight } = await import("../../kinds/preflights");
  return Promise.all(
    decisions.map(async (decision) => {
      if (hasPassed(decision, deployment.deployment.resources ?? []))
        return { secret: decision.secret, ok: true, checks: [unfinished(decision)] };
      const [secret] = secretsNamed(config, [decision.secret]);
      if (secret === undefined) throw new Error("the decision is on a secret of the config");
      const checks = await runPreflight(preflightInputOf(config, secret, decision, deployment, stack));
      return { secret: decision.secret, ok: checks.every(({ ok }) => ok), checks };
    }),
  );
}

/**
 * Whether the preflight of this activation has passed already, in an update that was interrupted. A first update is decided
 * anew, since the stack has no outputs yet, and its preflight is in the state all the same.
 */
export const hasPassed = (
  { secret, state, resumes, finished }: Decision,
  resources: readonly StateResource[],
): boolean => resumes === true || (finished === undefined && isRecorded(recordedOf(resources, secret), state));

const unfinished = ({ state }: Decision): CheckResult => ({
  name: "interrupted update",
  ok: true,
  evidence:
    `an update to generation ${activeGeneration(state)} was interrupted after its preflight had passed; ` +
    "the next run finishes it without another preflight",
});

/** The config's secrets of these names, or all. @throws UsageError for an unknown name */
export function secretsNamed<Secret extends { readonly name: string }>(
  { secrets }: { readonly secrets: readonly Secret[] },
  names: readonly string[],
): Secret[] {
  const known = secrets.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`no secret has the name ${unknown}; expected one of ${known.join(", ")}`);
  }
  return secrets.filter(({ name }) => names.length === 0 || names.includes(name));
}
