import type { Config, SecretConfig } from "../config";
import type { CheckResult } from "../steps/checks/preflight";
import { type Deployment, Engine } from "./engine";
import { UsageError } from "./errors";
import { readOutputs } from "./outputs";
import { type PreflightMode, preflightInputOf } from "./preflight-input";
import type { Project } from "./project";
import { readConfig } from "./settings";

export type { PreflightMode } from "./preflight-input";

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
  return checkSecrets(config, secretsNamed(config, names), mode, outputs, deployment);
}

/** The preflight of some secrets, all at once. `force`: what somebody else wrote into the store is overwritten. */
export async function checkSecrets(
  config: Config,
  secrets: readonly SecretConfig[],
  mode: PreflightMode,
  outputs: Awaited<ReturnType<typeof readOutputs>>,
  deployment: Deployment,
  force = false,
): Promise<PreflightResult[]> {
  const { runChecks } = await import("../steps/checks/preflight");
  return Promise.all(
    secrets.map(async (secret) => {
      const input = preflightInputOf(config, secret, mode, outputs[secret.name]?.state, deployment);
      const checks = await runChecks({ ...input, force });
      return { secret: secret.name, ok: checks.every(({ ok }) => ok), checks };
    }),
  );
}

/** The config's secrets of these names, all where none is named. @throws UsageError for one that is not there */
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
