import type { AlpacaKeyConfig, Config, KeyPair, KeyPairs } from "../../config";
import { unfinishedOf } from "../../core/begun";
import { EMPTY, other, previousGeneration, type SecretState, type SlotIndex } from "../../core/state";
import { type PreviousSeen, seePrevious } from "./grace";
import { type AlpacaPlaces, alpacaPlaces } from "./places";

/** What Alpaca says about the previous pair; undefined if it was not queried. */
export interface AlpacaKeySeen {
  readonly previousKey?: PreviousSeen | undefined;
}

/** The part of the config that this reads. */
type KeysConfig = Pick<Config, "alpacaKeys" | "alpaca" | "environment" | "request">;

/**
 * Queries Alpaca about a previous pair whose end has not been observed yet, or that a request wants back. Never throws.
 *
 * @param finished the state as the last finished update left it
 * @param recorded the target of the last activation
 * @returns undefined if there is nothing to query
 */
export async function seePreviousKey(
  config: KeysConfig,
  secret: AlpacaKeyConfig,
  finished: SecretState | undefined,
  recorded: SecretState | undefined,
): Promise<PreviousSeen | undefined> {
  const before = unfinishedOf(finished, recorded) ?? finished;
  const keys = config.alpacaKeys[secret.name];
  if (before === undefined || keys === undefined) return undefined;
  const pair = pairOf(keys, before, other(before.active));
  const wanted = unhandled(config, secret, before)?.activate === previousGeneration(before);
  if (pair === undefined || (before.revoked && !wanted)) return undefined;
  return seePrevious(placesOf(config), pair, pairOf(keys, before, before.active));
}

/** The pairs of a secret. */
export function keysOf({ alpacaKeys }: Pick<Config, "alpacaKeys">, { name }: AlpacaKeyConfig): KeyPairs {
  const keys = alpacaKeys[name];
  if (keys === undefined) throw new Error("the config's checks must have asked for `alpacaKeys`");
  return keys;
}

/** The addresses of the environment's Alpaca. */
export function placesOf({ alpaca, environment }: Pick<Config, "alpaca" | "environment">): AlpacaPlaces {
  if (alpaca === undefined) throw new Error("crossChecks must have asked for `alpaca`");
  return alpacaPlaces(alpaca, environment);
}

/** The pair that a slot holds, found by its label; undefined if the config no longer has it. */
export function pairOf({ current, previous }: KeyPairs, state: SecretState, slot: SlotIndex): KeyPair | undefined {
  const label = state.slots[slot] === EMPTY ? null : state.labels[slot];
  return [current, previous].find((pair) => pair !== undefined && pair.label === label);
}

/** The request of a key that its state has not handled yet. */
export const unhandled = (
  { request }: Pick<Config, "request">,
  { name }: Pick<AlpacaKeyConfig, "name">,
  before: SecretState | undefined,
) => (request?.secret === name && request.id !== before?.handledRequest ? request : undefined);
