import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { planBasis } from "./components/plan-guard";
import type { Platform } from "./components/platform";
import { readKnown } from "./components/previous-secrets";
import { forgetDeclarationTraces, plainStackTraces, silenceDebugMessages } from "./components/quiet-sdk";
import { createStore } from "./components/stack-store";
import { auditDatabase, type Config, ConfigError, eventTargets, noticeOf, parseConfig, referenceOf } from "./config";
import { PLANNED_AT, plannedOr } from "./core/clock";
import { RequestRefusedError } from "./core/request";
import { UnavailableError } from "./core/unavailable";
import { observe } from "./kinds";
import { marketClock } from "./kinds/alpaca-key/market-clock";
import { createSecrets } from "./kinds/create-secrets";

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
    const stateOf = (name: string) => ({ finished: previous[name]?.state, recorded: recorded[name] });
    const seen = await observe(config, config.secrets, stateOf, now);
    const secrets = await createSecrets(config, known, await createPlatform(config, stack), now, seen);
    return { environment: config.environment, secrets };
  } catch (error) {
    // Meant for people: without a stack trace.
    if ([ConfigError, RequestRefusedError, UnavailableError].some((known) => error instanceof known))
      throw new pulumi.RunError((error as Error).message);
    throw error;
  }
}

async function createPlatform(config: Config, stack: string): Promise<Platform> {
  const { environment, secrets, preflight, services, hosts, sshPrivateKey, market, lab } = config;
  const database = auditDatabase(config);
  return {
    store: await createStore(config.store, environment),
    secrets,
    services,
    hosts,
    privateKey: sshPrivateKey === undefined ? undefined : pulumi.secret(sshPrivateKey),
    marketClock: marketClock(config),
    allowOpenMarket: preflight.allowOpenMarket,
    market,
    notice: noticeOf(config),
    audit: {
      connection: database === undefined ? {} : referenceOf(database),
      stack,
      environment,
      events: eventTargets(config.events),
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
