import type { Config, PostgresPasswordConfig, SecretConfig } from "../config";
import { usernamePathOf } from "../rotation/roles";
import type { SecretState } from "../rotation/state";
import type { CheckResult, PreflightInput } from "../steps/checks/preflight";
import { storeReference } from "../steps/store";
import { auditReference, referenceOf } from "./audit-log";
import { loginsOf } from "./credentials";
import { type Deployment, Engine } from "./engine";
import { UsageError } from "./errors";
import { readOutputs } from "./outputs";
import type { Project } from "./project";
import { readConfig } from "./settings";

/** What is asked for what: a rollback must work while services are down and the market is open. */
export type PreflightMode = PreflightInput["mode"];

/** The preflight of one secret. */
export interface PreflightResult {
  readonly secret: string;
  readonly ok: boolean;
  readonly checks: readonly CheckResult[];
}

/** How a step reaches the store of a stack. */
export const storeOf = ({ store, environment }: Pick<Config, "store" | "environment">) =>
  storeReference.parse({ ...store, environment });

/** Everything that the preflight of a secret looks at; the same as in an update. */
export function preflightInputOf(
  config: Config,
  secret: SecretConfig,
  mode: PreflightMode,
  state: SecretState | undefined,
  deployment: Deployment,
): PreflightInput {
  const services = secret.restart.flatMap((name) => {
    const service = config.services[name];
    return service === undefined ? [] : [{ name, hosts: service.hosts, health: service.health }];
  });
  const used = new Set(services.flatMap(({ hosts }) => hosts));
  return {
    mode,
    secretName: secret.name,
    store: storeOf(config),
    paths: pathsOf(secret),
    database: { ...referenceOf(secret.database), roles: [secret.role] },
    audit: auditReference(config),
    services,
    hosts: Object.fromEntries(Object.entries(config.hosts).filter(([name]) => used.has(name))),
    privateKey: config.sshPrivateKey,
    alpaca: config.alpaca,
    allowOpenMarket: config.preflight.allowOpenMarket,
    current: mode === "rotation" ? currentOf(config, secret, state, deployment) : undefined,
  };
}

const pathsOf = (secret: PostgresPasswordConfig) =>
  secret.strategy === "alternating-users" ? [usernamePathOf(secret), secret.name] : [secret.name];

/** The credential in use, as far as anybody knows it. */
function currentOf(
  config: Config,
  secret: PostgresPasswordConfig,
  state: SecretState | undefined,
  deployment: Deployment,
): PreflightInput["current"] {
  if (state !== undefined) return loginsOf(deployment, config, secret, state).active as PreflightInput["current"];
  const password = config.adopted[secret.name];
  if (password === undefined) return undefined;
  return { username: secret.role, password, entries: [{ path: secret.name, value: password }] };
}

/** Runs the preflight of the named secrets, or of all, without an update. @throws ConfigError, UsageError */
export async function preflight(
  project: Project,
  names: readonly string[],
  mode: PreflightMode,
): Promise<PreflightResult[]> {
  const config = await readConfig(project);
  const engine = await Engine.open(project);
  const [outputs, deployment] = await Promise.all([readOutputs(project), engine.exportState()]);
  return checkSecrets(config, secretsNamed(config, names), mode, outputs, deployment);
}

/** The preflight of some secrets, all at once. */
export async function checkSecrets(
  config: Config,
  secrets: readonly SecretConfig[],
  mode: PreflightMode,
  outputs: Awaited<ReturnType<typeof readOutputs>>,
  deployment: Deployment,
): Promise<PreflightResult[]> {
  const { runChecks } = await import("../steps/checks/preflight");
  return Promise.all(
    secrets.map(async (secret) => {
      const input = preflightInputOf(config, secret, mode, outputs[secret.name]?.state, deployment);
      const checks = await runChecks(input);
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
