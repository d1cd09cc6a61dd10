import * as pulumi from "@pulumi/pulumi";
import type * as z from "zod";
import { readApprovals } from "../clients/approvals";
import { operator } from "../clients/home";
import type { Approvals } from "../components/approvals";
import { planBasis, planDigest } from "../components/plan-guard";
import type { Platform } from "../components/platform";
import { readKnown } from "../components/previous-secrets";
import type { StackSecret } from "../components/secret-rotation";
import { createStore } from "../components/stack-store";
import { hideStepInputs } from "../components/step-command";
import {
  auditDatabase,
  type Config,
  ConfigError,
  eventTargets,
  noticeOf,
  PROJECT,
  parseConfig,
  referenceOf,
} from "../config";
import type { schema } from "../config/schema";
import { PLANNED_AT, plannedOr } from "../core/clock";
import { oneOf } from "../core/problem";
import { RequestRefusedError } from "../core/request";
import { sshKeyOf } from "../core/ssh-key";
import { UnavailableError } from "../core/unavailable";
import { openSession } from "../stores";
import { observe } from ".";
import { marketClock } from "./alpaca-key/market-clock";
import { createSecrets, declareAlone, outputOf, type Prepared, prepareSecrets } from "./create-secrets";
import type { Component } from "./kind";

/** Settings as a stack's file has them under `secret-rotation:` (`docs/reference.md`). */
export type Settings = Partial<z.input<typeof schema>>;

/** What the rotations of one stack share: its config, what its last update left, and the platform. */
export class RotationStack {
  private constructor(
    /** The config, checked, with its defaults. */
    readonly config: Config,
    private readonly platform: Platform,
    private readonly prepared: readonly Prepared[],
  ) {}

  /**
   * Reads the stack's config and its state, and decides nothing yet. Call it once in a program, and declare every secret of
   * the config afterwards.
   *
   * @param settings beside or instead of the config's keys under `secret-rotation:`. Secrets belong in the config.
   * @param program the program's own file: a saved plan is held to it
   * @throws pulumi.RunError for a wrong config, a request that cannot be carried out, or a server that does not answer;
   * nothing was changed
   */
  static open(settings: Settings, program: Buffer): Promise<RotationStack> {
    return explained(async () => {
      const stack = pulumi.getStack();
      const raw = { ...pulumi.runtime.allConfig(), ...asConfig(settings) };
      const config = parseConfig(raw, stack);
      openSession(config.store, {
        ...{ dir: process.cwd(), stack, shared: !pulumi.runtime.isDryRun() },
        vaultSecretId: config.vaultSecretId,
      });
      const now =
        config.lab?.clock === undefined ? plannedOr(new Date(), process.env[PLANNED_AT]) : new Date(config.lab.clock);
      const names = config.secrets.map(({ name }) => name);
      const known = await readKnown(stack, names);
      const { previous, recorded } = known;
      const stateOf = (name: string) => ({ finished: previous[name]?.state, recorded: recorded[name] });
      const seen = await observe(config, config.secrets, stateOf, now);
      const platform = await createPlatform(config, stack, planBasis(raw, program));
      const approvals = await approvalsOf(config, stack, planDigest(raw, program));
      return new RotationStack(config, platform, await prepareSecrets(config, known, platform, approvals, now, seen));
    });
  }

  /**
   * The arguments of a secret's component in this update: `new PostgresPassword(name, stack.argsOf(PostgresPassword,
   * secret))`. Decides what happens to the secret, and reports it.
   *
   * @param component the kind's class
   * @param secret the secret's name in the config, such as `database/password`
   * @throws pulumi.RunError for a secret that the config does not have or that is of another kind, for `restarts.shared`,
   * or a request that cannot be carried out
   */
  argsOf<A extends object>(component: Component<A>, secret: string): A {
    const found = this.prepared.find(({ secret: { name } }) => name === secret);
    if (found === undefined) {
      const names = this.prepared.map(({ secret: { name } }) => name);
      throw new pulumi.RunError(
        `argsOf: expected the name of a secret of the config (${oneOf(names)}), found ${secret}`,
      );
    }
    if (this.config.restarts.shared) {
      const message =
        "argsOf: expected no restarts.shared, since each component declares restarts of its own; take it out";
      throw new pulumi.RunError(message);
    }
    const declaration = refused(() => declareAlone(found));
    if (declaration.component !== (component as unknown)) {
      const { name } = declaration.component;
      throw new pulumi.RunError(
        `argsOf: ${secret} is declared with new ${name}(...): expected ${name}, found ${component.name}`,
      );
    }
    return declaration.args as A;
  }

  /** Declares every secret of the config in its order. Returns the stack's output `secrets`. */
  createAll(): Record<string, unknown> {
    return refused(() => createSecrets(this.config, this.platform, this.prepared));
  }

  /**
   * The stack's output `secrets`, which the program must export under that name: the next update decides from it.
   *
   * @param secrets the declared component of every secret of the config, by the secret's name
   * @throws pulumi.RunError if one is missing
   */
  outputs(secrets: Readonly<Record<string, StackSecret>>): Record<string, unknown> {
    const names = this.prepared.map(({ secret: { name } }) => name);
    const missing = names.filter((name) => secrets[name] === undefined);
    if (missing.length > 0) {
      throw new pulumi.RunError(
        `outputs: expected a component for each secret of the config, found none for ${missing.join(", ")}; without it the next update would adopt it anew`,
      );
    }
    return Object.fromEntries(Object.entries(secrets).map(([name, made]) => [name, outputOf(made)]));
  }
}

/** As Pulumi passes settings: texts as they are, everything else as JSON. */
const asConfig = (settings: Settings): Record<string, string> =>
  Object.fromEntries(
    Object.entries(settings).flatMap(([key, value]) =>
      value === undefined ? [] : [[`${PROJECT}:${key}`, typeof value === "string" ? value : JSON.stringify(value)]],
    ),
  );

const FOR_PEOPLE = [ConfigError, RequestRefusedError, UnavailableError];

/** Without a stack trace, if the message is for people. */
const forPeople = (error: unknown): unknown =>
  FOR_PEOPLE.some((known) => error instanceof known) ? new pulumi.RunError((error as Error).message) : error;

function refused<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw forPeople(error);
  }
}

async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw forPeople(error);
  }
}

async function approvalsOf({ approvals }: Config, stack: string, digest: string): Promise<Approvals> {
  if (approvals === undefined) return { digest, stack, required: 0, given: [] };
  const { required, by } = approvals;
  return { digest, stack, required, given: await readApprovals(process.cwd(), by, operator(process.env)) };
}

async function createPlatform(config: Config, stack: string, basis: readonly string[]): Promise<Platform> {
  const { environment, secrets, preflight, services, hosts, market, lab } = config;
  const key = sshKeyOf(config);
  const database = auditDatabase(config);
  // Every step that reaches a database has it in its input.
  if (config.sslPassword !== undefined) hideStepInputs();
  return {
    store: await createStore(config.store, environment, stack),
    secrets,
    services,
    hosts,
    privateKey: key === undefined ? undefined : pulumi.secret(key),
    marketClock: marketClock(config),
    allowOpenMarket: preflight.allowOpenMarket,
    rehearse: preflight.rehearse,
    market,
    notice: noticeOf(config),
    audit: {
      connection: database === undefined ? {} : referenceOf(database),
      stack,
      environment,
      events: eventTargets(config.events),
    },
    clock: lab?.clock,
    planBasis: basis,
    ...(config.fingerprintKey === undefined ? {} : { fingerprintKey: pulumi.secret(config.fingerprintKey) }),
  };
}
