import * as pulumi from "@pulumi/pulumi";
import { RandomId } from "@pulumi/random";
import { databaseReference, type Platform } from "./components/platform";
import { PostgresPassword } from "./components/postgres-password";
import { createStore } from "./components/secret-store";
import { type Config, parseConfig, policyOf, type SecretConfig } from "./config";
import { nextState } from "./rotation/next-state";
import { describePlan, planOf } from "./rotation/plan";
import type { SecretState } from "./rotation/state";

type Secrets = Record<string, { readonly state: SecretState } | undefined>;

/** Carries out what is due in this stack. An update does at most one step for each secret. */
async function main(): Promise<Record<string, unknown>> {
  const stack = pulumi.getStack();
  const config = parseConfig(pulumi.runtime.allConfig(), stack);
  const previous = await previousSecrets(stack);
  const platform = createPlatform(config, stack);
  const now = config.lab?.clock === undefined ? new Date() : new Date(config.lab.clock);

  const secrets: Record<string, unknown> = {};
  let last: pulumi.Resource | undefined;
  for (const secret of config.secrets) {
    const component = createSecret(config, secret, previous[secret.name]?.state, platform, now, last);
    secrets[secret.name] = pulumi
      .all([component.description, component.state])
      .apply(([description, state]) => ({ ...description, state }));
    last = component.last;
  }
  return { environment: config.environment, secrets };
}

/** The secrets as the last finished update of this stack left them. */
async function previousSecrets(stack: string): Promise<Secrets> {
  const self = new pulumi.StackReference("previous", {
    name: `${pulumi.getOrganization()}/${pulumi.getProject()}/${stack}`,
  });
  const { value } = await self.getOutputDetails("secrets");
  return (value ?? {}) as Secrets;
}

function createPlatform(config: Config, stack: string): Platform {
  const { environment, alpaca, preflight, services, hosts, sshPrivateKey, lab } = config;
  const auditDatabase = config.audit ?? (config.secrets[0] as SecretConfig).database;
  return {
    store: createStore(config.store, environment),
    services,
    hosts,
    privateKey: sshPrivateKey === undefined ? undefined : pulumi.secret(sshPrivateKey),
    alpaca,
    allowOpenMarket: preflight.allowOpenMarket,
    audit: {
      connection: databaseReference(auditDatabase),
      history: new RandomId("audit-history", { byteLength: 8 }).hex,
      stack,
      environment,
    },
    clock: lab?.clock,
  };
}

function createSecret(
  config: Config,
  secret: SecretConfig,
  before: SecretState | undefined,
  platform: Platform,
  now: Date,
  dependsOn: pulumi.Resource | undefined,
): PostgresPassword {
  const policy = policyOf(config, secret);
  const value = config.adopted[secret.name];
  const request = config.request?.secret === secret.name ? config.request : undefined;
  const state = nextState(before, { now, policy, request, hasAdopted: value !== undefined });
  void pulumi.log.info(describePlan(planOf(secret.name, before, state)));
  return new PostgresPassword(
    secret.name.replaceAll("/", "-"),
    { config: secret, state, policy, platform, adopted: value === undefined ? undefined : pulumi.secret(value) },
    dependsOn === undefined ? {} : { dependsOn },
  );
}

// What Pulumi runs: a CommonJS module's export, awaited, becomes the stack's outputs.
module.exports = main;
