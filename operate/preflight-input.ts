import { unknownAdvice } from "../components/foreign-advice";
import { marketClock } from "../components/platform";
import { restartCheck } from "../components/restart-command";
import {
  type Config,
  isLeased,
  isMadeByVault,
  type KeyPair,
  noticeOf,
  type PostgresPasswordConfig,
  policyOf,
  type SecretConfig,
} from "../config";
import { rotationSeconds } from "../core/rotation-seconds";
import { dueAt } from "../rotation/next-state";
import { ownUsernames, usernamePathOf } from "../rotation/roles";
import { activeGeneration, type SecretState } from "../rotation/state";
import type { PreflightInput } from "../steps/checks/preflight";
import { storeReference } from "../steps/store";
import { auditReference, referenceOf } from "./audit-log";
import { loginsOf, pairsOf } from "./credentials";
import type { Deployment } from "./engine";
import { leasesInputOf } from "./lease-facts";
import { clockOf } from "./settings";
import { vaultRoleOf } from "./vault-facts";

/** What is asked for what: a rollback must work while services are down and the market is open. */
export type PreflightMode = "rotation" | "emergency" | "rollback";

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
    return service === undefined
      ? []
      : [{ name, hosts: service.hosts, health: service.health, restartCheck: restartCheck(name, service) }];
  });
  const restarting = secret.restart.flatMap((name) => config.services[name] ?? []);
  const used = new Set(services.flatMap(({ hosts }) => hosts));
  return {
    mode,
    secretName: secret.name,
    store: storeOf(config),
    paths: pathsOf(secret),
    lasts: rotationSeconds(restarting),
    audit: auditReference(config),
    services,
    hosts: Object.fromEntries(Object.entries(config.hosts).filter(([name]) => used.has(name))),
    privateKey: config.sshPrivateKey,
    alpaca: marketClock(config),
    allowOpenMarket: config.preflight.allowOpenMarket,
    notice:
      mode === "rotation" && secret.kind === "postgres-password" && !isLeased(secret)
        ? dueNotice(config, secret, state)
        : undefined,
    ...ownPart(config, secret, mode === "rotation", state, deployment),
  };
}

/** Asked only where the rotation comes by age; a request is somebody's own decision. */
function dueNotice(config: Config, secret: SecretConfig, state: SecretState | undefined): PreflightInput["notice"] {
  const before = noticeOf(config);
  const now = clockOf(config);
  if (before === undefined || state === undefined || config.request?.secret === secret.name) return undefined;
  if (now < dueAt(state, policyOf(config, secret))) return undefined;
  return { before, generation: activeGeneration(state), clock: config.lab?.clock ?? null };
}

/** Where the store keeps a secret. */
export function pathsOf(secret: SecretConfig): string[] {
  if (secret.kind === "alpaca-key") return [secret.keyIdPath, secret.secretKeyPath];
  if (isMadeByVault(secret)) return [];
  return secret.strategy === "alternating-users" ? [usernamePathOf(secret), secret.name] : [secret.name];
}

/** What only one kind of secret has: a database, and the credential in use as far as anybody knows it. */
function ownPart(
  config: Config,
  secret: SecretConfig,
  asksCurrent: boolean,
  state: SecretState | undefined,
  deployment: Deployment,
): Pick<PreflightInput, "database" | "current" | "expected" | "whenForeign" | "vaultRole" | "leases"> {
  if (secret.kind === "alpaca-key") {
    const pair = asksCurrent ? pairsOf(config, secret, state).active : undefined;
    return { current: pair === undefined ? undefined : { entries: pairEntries(secret, pair) } };
  }
  if (isLeased(secret)) return { current: undefined, leases: leasesInputOf(config, secret, state) };
  if (isMadeByVault(secret)) return { current: undefined, vaultRole: vaultRoleOf(config, secret, state) };
  const current = asksCurrent ? currentLogin(config, secret, state, deployment) : undefined;
  return {
    database: { ...referenceOf(secret.database), roles: [secret.role] },
    current,
    ...(asksCurrent && current === undefined
      ? { expected: ownUsernames(secret), whenForeign: unknownAdvice(secret.name, undefined) }
      : {}),
  };
}

const pairEntries = (secret: Extract<SecretConfig, { kind: "alpaca-key" }>, { keyId, secretKey }: KeyPair) => [
  { path: secret.keyIdPath, value: keyId },
  { path: secret.secretKeyPath, value: secretKey },
];

function currentLogin(
  config: Config,
  secret: PostgresPasswordConfig,
  state: SecretState | undefined,
  deployment: Deployment,
): PreflightInput["current"] {
  if (state !== undefined) {
    const login = loginsOf(deployment, config, secret, state).active;
    return login === undefined ? undefined : { ...login, entries: [...login.entries] };
  }
  const password = config.adopted[secret.name];
  if (password === undefined) return undefined;
  return { username: secret.role, password, entries: [{ path: secret.name, value: password }] };
}
