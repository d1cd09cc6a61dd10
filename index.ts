import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { planBasis } from "./components/plan-guard";
import { marketClock, type Platform } from "./components/platform";
import { readKnown } from "./components/previous-secrets";
import { forgetDeclarationTraces, plainStackTraces, silenceDebugMessages } from "./components/quiet-sdk";
import { createSecrets, type PreviousSecrets } from "./components/stack-secrets";
import { auditDatabase, type Config, ConfigError, isMadeByVault, noticeOf, parseConfig, referenceOf } from "./config";
import { PLANNED_AT, plannedOr } from "./core/clock";
import { RequestRefusedError } from "./core/request";
import { seePreviousKeys } from "./kinds/alpaca-key/previous-keys";
import { assertRolesExist, seeLeftRoles } from "./kinds/postgres-password/left-roles";
import { seeOldLogins } from "./kinds/postgres-password/old-logins";
import { seeVaultRotations, VaultUnavailableError } from "./kinds/vault-static/last-rotation";
import { createStore } from "./stores/store";

/** Carries out what is due in this stack: config -> states -> components -> outputs. */
async function main(): Promise<Record<string, unknown>> {
  try {
    const stack = pulumi.getStack();
    const config = parseConfig(pulumi.runtime.allConfig(), stack);
    const now =
      config.lab?.clock === undefined ? plannedOr(new Date(), process.env[PLANNED_AT]) : new Date(config.lab.clock);
    const names = config.secrets.map(({ name }) => name);
    const known = await readKnown(stack, names);
    const { previous, recorded } = known;
    const finished = (name: string) => previous[name]?.state;
    const keys = await seePreviousKeys(config, finished, (name) => recorded[name]);
    const rotations = await seeVaultRotations(config, (name) => previous[name] !== undefined);
    if (pulumi.runtime.isDryRun()) await assertRolesExist(config, previous, stack);
    const left = await seeLeftRoles(config, previous);
    const inUse = await seeOldLogins(config, previous, now);
    const platform = await createPlatform(config, stack, previous);
    const secrets = createSecrets(config, known, platform, now, { keys, rotations, left, inUse });
    return { environment: config.environment, secrets };
  } catch (error) {
    // Meant for people: without a stack trace.
    if ([ConfigError, RequestRefusedError, VaultUnavailableError].some((known) => error instanceof known))
      throw new pulumi.RunError((error as Error).message);
    throw error;
  }
}

async function createPlatform(config: Config, stack: string, previous: PreviousSecrets): Promise<Platform> {
  const { environment, preflight, services, hosts, sshPrivateKey, lab } = config;
  const database = auditDatabase(config);
  const store = await createStore(config.store, environment);
  return {
    store,
    vaultDatabases: config.secrets.some(isMadeByVault)
      ? await (await import("./kinds/vault-engine/database")).createVaultDatabases(config, store, previous)
      : undefined,
    services,
    hosts,
    privateKey: sshPrivateKey === undefined ? undefined : pulumi.secret(sshPrivateKey),
    marketClock: marketClock(config),
    allowOpenMarket: preflight.allowOpenMarket,
    notice: noticeOf(config),
    audit: {
      connection: database === undefined ? {} : referenceOf(database),
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
