import * as pulumi from "@pulumi/pulumi";
import { decideSecret } from "../../components/decide-secret";
import type { Platform } from "../../components/platform";
import { sayPlan } from "../../components/say-plan";
import type { PreviousSecrets, StackSecret } from "../../components/stack-secrets";
import { type AlpacaKeyConfig, type Config, type KeyPair, type KeyPairs, policyOf } from "../../config";
import { unfinishedOf } from "../../core/begun";
import { lastFour } from "../../core/key-label";
import { RequestRefusedError } from "../../core/request";
import { other, previousGeneration, type SecretState, type SlotIndex } from "../../core/state";
import { AlpacaKey } from "./component";
import { keyNotices, type PreviousSeen } from "./grace";
import { pairOf, placesOf, unhandled } from "./previous-keys";
import { rollbackRefused } from "./verify";

export interface AlpacaSecretArgs {
  readonly config: Config;
  readonly secret: AlpacaKeyConfig;
  readonly before: PreviousSecrets[string];
  readonly recorded?: SecretState | undefined;
  readonly platform: Platform;
  readonly now: Date;
  readonly seen: PreviousSeen | undefined;
  /** The activation that an earlier version of this program rolled out, if one did. */
  readonly rolledOut?: string | undefined;
  readonly dependsOn: readonly pulumi.Resource[];
}

/**
 * Decides what happens to a key pair, says it, and declares it.
 *
 * @throws RequestRefusedError where the config asks for what cannot be had; nothing was changed then.
 */
export function createAlpacaSecret(args: AlpacaSecretArgs): StackSecret {
  const { config, secret, recorded, platform, now, seen, dependsOn } = args;
  const before = args.before?.state;
  const policy = policyOf(config, secret);
  const places = placesOf(config);
  const keys = keysOf(config, secret);
  assertSamePair(secret, keys, args.before);
  assertAlive(config, secret, keys, unfinishedOf(before, recorded) ?? before, seen);
  const decision = decideSecret(
    config,
    secret,
    { finished: before, recorded },
    { now, previousGone: seen?.previous === "gone" },
  );
  const { state, force } = decision;
  const active = requirePair(secret, keys, state, state.active);
  const acts = decision.action !== undefined;
  // The pair in use says which account a new one must have, and is what a rollback returns to.
  const moves = acts && previousGeneration(state) !== undefined && ["ADOPT", "ROTATE"].includes(state.step.action);
  const previous = moves
    ? requirePair(secret, keys, state, other(state.active))
    : pairOf(keys, state, other(state.active));

  sayPlan(decision);
  const notices = keyNotices({
    ...{ secret: secret.name, state, policy, places, now, hasPrevious: previous !== undefined },
    seen: acts && state.step.action !== "REVOKE" ? undefined : seen,
  });
  for (const { level, message } of notices) void pulumi.log[level === "warning" ? "warn" : "info"](message);
  return new AlpacaKey(
    secret.name.replaceAll("/", "-"),
    {
      config: secret,
      state,
      recorded,
      force,
      rolledOut: args.rolledOut,
      policy,
      platform,
      places,
      activationWait: config.alpaca?.activationWait ?? 0,
      active,
      previous,
    },
    { dependsOn: [...dependsOn] },
  );
}

function keysOf(config: Config, { name }: AlpacaKeyConfig): KeyPairs {
  const keys = config.alpacaKeys[name];
  if (keys === undefined) throw new Error("crossChecks must have asked for `alpacaKeys`");
  return keys;
}

function requirePair(secret: AlpacaKeyConfig, keys: KeyPairs, state: SecretState, slot: SlotIndex): KeyPair {
  const pair = pairOf(keys, state, slot);
  if (pair !== undefined) return pair;
  const has = [keys.current, ...(keys.previous === undefined ? [] : [keys.previous])].map(({ label }) => label);
  throw new RequestRefusedError(
    `${secret.name}: expected the pair ${state.labels[slot]} (generation ${state.slots[slot]}) in alpacaKeys["${secret.name}"], ` +
      `found ${has.join(" and ")}. Give it as \`previous\` (or \`current\`); nothing was changed.`,
  );
}

/** A label stands for one pair for ever: another pair under it would slip in without a rotation. */
function assertSamePair(secret: AlpacaKeyConfig, keys: KeyPairs, before: PreviousSecrets[string]): void {
  const known = before?.key;
  if (known === undefined) return;
  const pair = [keys.current, keys.previous].find((candidate) => candidate?.label === known.label);
  if (pair === undefined || lastFour(pair.keyId) === known.keyId) return;
  throw new RequestRefusedError(
    `${secret.name}: expected the key ${known.label} to be the one in use (key id ${known.keyId}), found another key ` +
      `(${lastFour(pair.keyId)}) under its label. A new pair needs a new label: \`rotation alpaca add-key\`; nothing was changed.`,
  );
}

/** Refuses a rollback to a key that is gone, in the preview already. */
function assertAlive(
  config: Config,
  secret: AlpacaKeyConfig,
  keys: KeyPairs,
  before: SecretState | undefined,
  seen: PreviousSeen | undefined,
): void {
  if (before === undefined || seen?.previous !== "gone") return;
  const request = unhandled(config, secret, before);
  const pair = pairOf(keys, before, other(before.active));
  if (request?.activate !== previousGeneration(before) || pair === undefined) return;
  throw new RequestRefusedError(`${secret.name}: ${rollbackRefused(placesOf(config), pair)} Nothing was changed.`);
}
