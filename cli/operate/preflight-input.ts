import { preflightInput as givenInput, type Surroundings } from "../../components/preflight-input";
import { storeOf } from "../../components/stored-values";
import { type Config, noticeOf, policyOf, type SecretConfig } from "../../config";
import type { Decision } from "../../core/decide";
import { sshKeyOf } from "../../core/ssh-key";
import { kindFor } from "../../kinds";
import { marketClock } from "../../kinds/alpaca-key/market-clock";
import { operationsOf } from "../../kinds/operations";
import { type PreflightInput, preflightInput } from "../../kinds/preflights";
import { auditReference } from "./audit-log";
import type { Deployment } from "./engine";

/** The input of a secret's preflight; the same as in an update. */
export function preflightInputOf(
  config: Config,
  secret: SecretConfig,
  decision: Decision,
  deployment: Deployment,
  stack: string,
): PreflightInput {
  const resources = deployment.deployment.resources ?? [];
  const given = givenInput(surroundingsOf(config, stack), {
    secret,
    asks: kindFor(secret).asks,
    decision,
    inUse: operationsOf(secret).inUse({ config, resources }, secret, decision),
    maxAge: policyOf(config, secret).maxAge,
  });
  // As the step reads it, with the defaults of what is left out.
  return preflightInput.parse(JSON.parse(JSON.stringify(given)));
}

function surroundingsOf(config: Config, stack: string): Surroundings<string> {
  const { secrets, services, hosts, preflight, market, lab } = config;
  return {
    secrets,
    store: storeOf(config),
    stack,
    audit: auditReference(config),
    services,
    hosts,
    privateKey: sshKeyOf(config),
    marketClock: marketClock(config),
    allowOpenMarket: preflight.allowOpenMarket,
    market,
    notice: noticeOf(config),
    clock: lab?.clock,
  };
}
