import { type CredentialInUse, preflightInput, type Surroundings } from "../../components/preflight-input";
import {
  type AlpacaKeyConfig,
  type Config,
  isMadeByVault,
  noticeOf,
  type PostgresPasswordConfig,
  policyOf,
  type SecretConfig,
} from "../../config";
import type { Decision } from "../../core/decide";
import { activeGeneration, adoptedGeneration } from "../../core/state";
import { kindFor } from "../../kinds";
import { marketClock } from "../../kinds/alpaca-key/market-clock";
import { loginEntries } from "../../kinds/postgres-password/asks";
import { activeUsername } from "../../kinds/postgres-password/roles";
import type { PreflightInput } from "../../kinds/preflights";
import { type StoreReference, schemaOf } from "../../stores/schemas";
import { auditReference } from "./audit-log";
import { loginsOf, pairEntries, pairsOf } from "./credentials";
import type { Deployment } from "./engine";

/** How a step reaches the store of a stack. */
export const storeOf = ({ store, environment }: Pick<Config, "store" | "environment">): StoreReference =>
  schemaOf(store).referenceOf(store, environment);

/** Everything that the preflight of a secret looks at; the same as in an update. */
export function preflightInputOf(
  config: Config,
  secret: SecretConfig,
  decision: Decision,
  deployment: Deployment,
  stack: string,
): PreflightInput {
  return preflightInput(surroundingsOf(config, stack), {
    ...{ secret, asks: kindFor(secret).asks, decision, inUse: inUseOf(config, secret, decision, deployment) },
    maxAge: policyOf(config, secret).maxAge,
  }) as PreflightInput;
}

function surroundingsOf(config: Config, stack: string): Surroundings<string> {
  const { secrets, services, hosts, preflight, lab } = config;
  return {
    secrets,
    store: storeOf(config),
    stack,
    audit: auditReference(config),
    services,
    hosts,
    privateKey: config.sshPrivateKey,
    marketClock: marketClock(config),
    allowOpenMarket: preflight.allowOpenMarket,
    notice: noticeOf(config),
    clock: lab?.clock,
  };
}

/** The credential in use, as far as anybody knows it. */
function inUseOf(
  config: Config,
  secret: SecretConfig,
  decision: Decision,
  deployment: Deployment,
): CredentialInUse<string> | undefined {
  if (secret.kind === "alpaca-key") return pairsInUse(config, secret, decision);
  if (isMadeByVault(secret)) return undefined;
  return adoptedLogin(config, secret, decision) ?? loginInUse(config, secret, decision, deployment);
}

/** The pair in use; in a rotation the new one too: somebody may have written it by hand before it was supplied. */
function pairsInUse(
  config: Config,
  secret: AlpacaKeyConfig,
  { state, mode }: Decision,
): CredentialInUse<string> | undefined {
  const { active, previous } = pairsOf(config, secret, state);
  const pairs = mode === "adoption" ? [active] : previous === undefined ? [] : [previous, active];
  const entries = pairs.flatMap((pair) => (pair === undefined ? [] : pairEntries(secret, pair)));
  return entries.length === 0 ? undefined : { generation: activeGeneration(state), entries };
}

/** What an update adopts that a request asks for. */
function adoptedLogin(
  { adopted }: Config,
  secret: PostgresPasswordConfig,
  { state, action }: Decision,
): CredentialInUse<string> | undefined {
  const [generation, password] = [activeGeneration(state), adopted[secret.name]];
  if (action !== "ADOPT" || generation === 0 || generation !== adoptedGeneration(state) || password === undefined)
    return undefined;
  const username = activeUsername(secret.strategy, secret.role, state);
  return { generation, username, password, entries: [{ path: secret.name, value: password }] };
}

function loginInUse(
  config: Config,
  secret: PostgresPasswordConfig,
  { finished }: Decision,
  deployment: Deployment,
): CredentialInUse<string> | undefined {
  const login =
    finished === undefined
      ? { generation: 0, username: secret.role, password: config.adopted[secret.name] }
      : loginsOf(deployment, config, secret, finished).active;
  if (login?.password === undefined) return undefined;
  const { generation, username, password } = login;
  return { generation, username, password, entries: loginEntries(secret, { generation, username, password }) };
}
