import * as pulumi from "@pulumi/pulumi";
import type { PreviousSecret } from "../../components/previous-secrets";
import { sayPlan } from "../../components/say-plan";
import { assertReadable, shapeBefore } from "../../components/shape-change";
import { type AlpacaKeyConfig, type Config, type KeyPair, type KeyPairs, policyOf } from "../../config";
import { unfinishedOf } from "../../core/begun";
import { documentShape } from "../../core/document-settings";
import { lastFour } from "../../core/key-label";
import { RequestRefusedError } from "../../core/request";
import { other, previousGeneration, type SecretState, type SlotIndex } from "../../core/state";
import { type Declare, type DeclaredIn, declaration } from "../kind";
import { AlpacaKey } from "./component";
import { keyNotices, type PreviousSeen } from "./grace";
import { type AlpacaKeySeen, keysOf, pairOf, placesOf, unhandled } from "./previous-keys";
import { PAIR_DOCUMENT } from "./schema";
import { rollbackRefused } from "./verify";

/**
 * Declares a key pair. Refuses at once a known label with another pair, and a rollback to a key that is gone.
 *
 * @throws RequestRefusedError if the config requests what is impossible; nothing was changed then.
 */
export function declareAlpacaKey(secret: AlpacaKeyConfig, stack: DeclaredIn, { previousKey }: AlpacaKeySeen): Declare {
  const { config, before, recorded, platform, now } = stack;
  const policy = policyOf(config, secret);
  const places = placesOf(config);
  const keys = keysOf(config, secret);
  assertSamePair(secret, keys, before);
  assertReadable(secret, documentShape(secret, PAIR_DOCUMENT), before);
  assertAlive(config, secret, keys, unfinishedOf(before?.state, recorded) ?? before?.state, previousKey);
  return (decision, { rolledOut, finished, sharing }) => {
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
      secret: secret.name,
      state,
      policy,
      places,
      now,
      hasPrevious: previous !== undefined,
      seen: acts && state.step.action !== "REVOKE" ? undefined : previousKey,
    });
    for (const { level, message } of notices) void pulumi.log[level === "warning" ? "warn" : "info"](message);
    return declaration(AlpacaKey, {
      config: secret,
      state,
      recorded,
      force,
      rolledOut,
      finished,
      sharing,
      policy,
      platform,
      places,
      activationWait: config.alpaca?.activationWait ?? 0,
      active,
      previous,
      kept: shapeBefore(before),
    });
  };
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

/** A label always means the same pair: another pair under it would come into use without a rotation. */
function assertSamePair(secret: AlpacaKeyConfig, keys: KeyPairs, before: PreviousSecret | undefined): void {
  const known = before?.key as { readonly label: string; readonly keyId: string } | undefined;
  if (known === undefined) return;
  const pair = [keys.current, keys.previous].find((candidate) => candidate?.label === known.label);
  if (pair === undefined || lastFour(pair.keyId) === known.keyId) return;
  throw new RequestRefusedError(
    `${secret.name}: expected the key ${known.label} to be the one in use (key id ${known.keyId}), found another key ` +
      `(${lastFour(pair.keyId)}) under its label. A new pair needs a new label: \`rotation alpaca add-key\`; nothing was changed.`,
  );
}

/** Refuses a rollback to a key that is gone, even in the preview. */
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
