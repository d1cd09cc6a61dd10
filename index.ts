import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { seePreviousKeys } from "./components/alpaca-secret";
import { assertRolesExist, seeLeftRoles } from "./components/left-roles";
import { planBasis } from "./components/plan-guard";
import { databaseReference, marketClock, type Platform } from "./components/platform";
import { forgetDeclarationTraces, plainStackTraces, silenceDebugMessages } from "./components/quiet-sdk";
import { createStore } from "./components/secret-store";
import { createSecrets, type PreviousSecrets } from "./components/stack-secrets";
import { auditDatabase, type Config, ConfigError, isMadeByVault, noticeOf, parseConfig } from "./config";
import { PLANNED_AT, plannedOr } from "./rotation/clock";
import { RequestRefusedError } from "./rotation/request";
import { seeVaultRotations, VaultUnavailableError } from "./vault/last-rotation";

/** Carries out what is due in this stack: config -> states -> components -> outputs. */
async function main(): Promise<Record<string, unknown>> {
  try {
    const stack = pulumi.getStack();
    const config = parseConfig(pulumi.runtime.allConfig(), stack);
    const now =
      config.lab?.clock === undefined ? plannedOr(new Date(), process.env[PLANNED_AT]) : new Date(config.lab.clock);
    const previous = await previousSecrets(stack);
    const seen = await seePreviousKeys(config, previous);
    const rotations = await seeVaultRotations(config, (name) => previous[name] !== undefined);
    if (pulumi.runtime.isDryRun()) await assertRolesExist(config, previous, stack);
    const left = await seeLeftRoles(config, previous);
    const secrets = createSecrets(
      config,
      previous,
      await createPlatform(config, stack, previous),
      now,
      seen,
      rotations,
      left,
    );
    return { environment: config.environment, secrets };
  } catch (error) {
    // Meant for people: without a stack trace.
    if ([ConfigError, RequestRefusedError, VaultUnavailableError].some((known) => error instanceof known))
      throw new pulumi.RunError((error as Error).message);
    throw error;
  }
}

/** The secrets as the last finished update of this stack left them: its own outputs. */
async function previousSecrets(stack: string): Promise<PreviousSecrets> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${stack}`;
  const { value } = await new pulumi.StackReference("previous", { name }).getOutputDetails("secrets");
  return (value ?? {}) as PreviousSecrets;
}

async function createPlatform(config: Config, stack: string, previous: PreviousSecrets): Promise<Platform> {
  const { environment, preflight, services, hosts, sshPrivateKey, lab } = config;
  const database = auditDatabase(config);
  const store = await createStore(config.store, environment);
  return {
    store,
    vaultDatabases: config.secrets.some(isMadeByVault)
      ? await (await import("./components/vault-database")).createVaultDatabases(config, store, previous)
      : undefined,
    services,
    hosts,
    privateKey: sshPrivateKey === undefined ? undefined : pulumi.secret(sshPrivateKey),
    marketClock: marketClock(config),
    allowOpenMarket: preflight.allowOpenMarket,
    notice: noticeOf(config),
    audit: {
      connection: database === undefined ? {} : databaseReference(database),
      stack,
      environment,
    },
    clock: lab?.clock,
    planBasis: planBasis(pulumi.runtime.allConfig(), readFileSync(__filename)),
  };
}

silenceDebugMessages();
plainStackTraces();
forgetDeclarationTraces();

// What Pulumi runs: a CommonJS module's export, awaited, becomes the stack's outputs.
module.exports = main;
