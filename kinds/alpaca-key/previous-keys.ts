import type { AlpacaKeyConfig, Config, KeyPair, KeyPairs } from "../../config";
import { unfinishedOf } from "../../core/begun";
import { EMPTY, other, previousGeneration, type SecretState, type SlotIndex } from "../../core/state";
import { type PreviousSeen, seePrevious } from "./grace";
import { type AlpacaPlaces, alpacaPlaces } from "./places";

/** What Alpaca said about the pair before, by the secret's name. */
export type PreviousKeysSeen = Readonly<Record<string, PreviousSeen | undefined>>;

/** The part of the config that this reads. */
type KeysConfig = Pick<Config, "secrets" | "alpacaKeys" | "alpaca" | "environment" | "request">;

/**
 * Asks Alpaca about every pair whose end has not been seen yet, or that a request wants back. Never throws.
 *
 * @param finished the states as the last finished update left them, by the secret's name
 * @param recorded what the last activations were to bring about
 */
export async function seePreviousKeys(
  config: KeysConfig,
  finished: (secret: string) => SecretState | undefined,
  recorded: (secret: string) => SecretState | undefined,
): Promise<PreviousKeysSeen> {
  const seen: Record<string, PreviousSeen> = {};
  for (const secret of config.secrets) {
    const before = unfinishedOf(finished(secret.name), recorded(secret.name)) ?? finished(secret.name);
    const keys = config.alpacaKeys[secret.name];
    if (secret.kind !== "alpaca-key" || before === undefined || keys === undefined) continue;
    const pair = pairOf(keys, before, other(before.active));
    const wanted = unhandled(config, secret, before)?.activate === previousGeneration(before);
    if (pair === undefined || (before.revoked && !wanted)) continue;
    seen[secret.name] = await seePrevious(placesOf(config), pair, pairOf(keys, before, before.active));
  }
  return seen;
}

/** Where the environment's Alpaca is. */
export function placesOf({ alpaca, environment }: Pick<Config, "alpaca" | "environment">): AlpacaPlaces {
  if (alpaca === undefined) throw new Error("crossChecks must have asked for `alpaca`");
  return alpacaPlaces(alpaca, environment);
}

/** The pair that a slot holds, found by its label; undefined where the config has it no more. */
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
