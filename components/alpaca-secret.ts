import * as pulumi from "@pulumi/pulumi";
import { keyNotices, type PreviousSeen, seePrevious } from "../alpaca/grace";
import { type AlpacaPlaces, alpacaPlaces } from "../alpaca/places";
import { rollbackRefused } from "../alpaca/verify";
import { type AlpacaKeyConfig, type Config, type KeyPair, type KeyPairs, policyOf } from "../config";
import { labelDate, lastFour } from "../rotation/key-label";
import { nextState } from "../rotation/next-state";
import { describePlan, planOf } from "../rotation/plan";
import { RequestRefusedError } from "../rotation/request";
import { EMPTY, other, previousGeneration, type SecretState, type SlotIndex } from "../rotation/state";
import { AlpacaKey } from "./alpaca-key";
import type { Platform } from "./platform";
import type { PreviousSecrets, StackSecret } from "./stack-secrets";

/** What Alpaca said about the pair before, by the secret's name. */
export type PreviousKeysSeen = Readonly<Record<string, PreviousSeen | undefined>>;

/** Asks Alpaca about every pair whose end has not been seen yet, or that a request wants back. Never throws. */
export async function seePreviousKeys(config: Config, previous: PreviousSecrets): Promise<PreviousKeysSeen> {
  const seen: Record<string, PreviousSeen> = {};
  for (const secret of config.secrets) {
    const before = previous[secret.name]?.state;
    const keys = config.alpacaKeys[secret.name];
    if (secret.kind !== "alpaca-key" || before === undefined || keys === undefined) continue;
    const pair = pairOf(keys, before, other(before.active));
    const wanted = unhandled(config, secret, before)?.activate === previousGeneration(before);
    if (pair === undefined || (before.revoked && !wanted)) continue;
    seen[secret.name] = await seePrevious(placesOf(config), pair, pairOf(keys, before, before.active));
  }
  return seen;
}

export interface AlpacaSecretArgs {
  readonly config: Config;
  readonly secret: AlpacaKeyConfig;
  readonly before: PreviousSecrets[string];
  readonly platform: Platform;
  readonly now: Date;
  readonly seen: PreviousSeen | undefined;
  readonly dependsOn: readonly pulumi.Resource[];
}

/**
 * Decides what happens to a key pair, says it, and declares it.
 *
 * @throws RequestRefusedError where the config asks for what cannot be had; nothing was changed then.
 */
export function createAlpacaSecret(args: AlpacaSecretArgs): StackSecret {
  const { config, secret, platform, now, seen, dependsOn } = args;
  const before = args.before?.state;
  const policy = policyOf(config, secret);
  const places = placesOf(config);
  const keys = keysOf(config, secret);
  assertSamePair(secret, keys, args.before);
  assertAlive(config, secret, keys, before, seen);
  const state = nextState(before, {
    now,
    policy,
    request: config.request?.secret === secret.name ? config.request : undefined,
    hasAdopted: true,
    suppliedKeyLabel: keys.current.label,
    adoptedKeyLabel: keys.previous?.label,
    adoptedSince: labelDate((keys.previous ?? keys.current).label),
    previousGone: seen?.previous === "gone",
  });
  const active = requirePair(secret, keys, state, state.active);
  const acts = before?.step.sequence !== state.step.sequence;
  // The pair in use says which account a new one must have, and is what a rollback returns to.
  const moves = acts && previousGeneration(state) !== undefined && ["ADOPT", "ROTATE"].includes(state.step.action);
  const previous = moves
    ? requirePair(secret, keys, state, other(state.active))
    : pairOf(keys, state, other(state.active));

  void pulumi.log.info(describePlan(planOf(secret.name, before, state)));
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
      // Only in the update that handles the request: it stays in the config afterwards.
      force: unhandled(config, secret, before)?.force === true,
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

function placesOf({ alpaca, environment }: Config): AlpacaPlaces {
  if (alpaca === undefined) throw new Error("crossChecks must have asked for `alpaca`");
  return alpacaPlaces(alpaca, environment);
}

function keysOf(config: Config, { name }: AlpacaKeyConfig): KeyPairs {
  const keys = config.alpacaKeys[name];
  if (keys === undefined) throw new Error("crossChecks must have asked for `alpacaKeys`");
  return keys;
}

/** The pair that a slot holds, found by its label; undefined where the config has it no more. */
function pairOf({ current, previous }: KeyPairs, state: SecretState, slot: SlotIndex): KeyPair | undefined {
  const label = state.slots[slot] === EMPTY ? null : state.labels[slot];
  return [current, previous].find((pair) => pair !== undefined && pair.label === label);
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

function unhandled({ request }: Config, { name }: AlpacaKeyConfig, before: SecretState | undefined) {
  return request?.secret === name && request.id !== before?.handledRequest ? request : undefined;
}
