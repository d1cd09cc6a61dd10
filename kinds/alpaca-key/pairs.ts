import type { CredentialInUse } from "../../components/preflight-input";
import type { AlpacaKeyConfig, Config, KeyPair } from "../../config";
import type { Decision } from "../../core/decide";
import { activeGeneration, EMPTY, other, type SecretState, type SlotIndex } from "../../core/state";
import type { Known, KnownStack } from "../kind-operations";

/** The config's key pairs. */
export const keysAmong = (secrets: Config["secrets"]): AlpacaKeyConfig[] =>
  secrets.filter((secret) => secret.kind === "alpaca-key");

/** The pairs that the config knows, by the slot that their label is in. */
export function pairsOf(
  { alpacaKeys }: Pick<Config, "alpacaKeys">,
  { name }: Pick<AlpacaKeyConfig, "name">,
  state: SecretState | undefined,
): { readonly active: KeyPair | undefined; readonly previous: KeyPair | undefined } {
  const keys = alpacaKeys[name];
  // Before the first update the pair in use is the older one.
  if (state === undefined) return { active: keys?.previous ?? keys?.current, previous: undefined };
  const held = (slot: SlotIndex) => [keys?.current, keys?.previous].find((pair) => pair?.label === state.labels[slot]);
  return { active: held(state.active), previous: held(other(state.active)) };
}

/** The entries of a pair in the store. */
export const pairEntries = (secret: AlpacaKeyConfig, { keyId, secretKey }: Pick<KeyPair, "keyId" | "secretKey">) => [
  { path: secret.keyIdPath, value: keyId },
  { path: secret.secretKeyPath, value: secretKey },
];

/** The pairs of these states, each to be tried. */
export function knownPairs({ config }: KnownStack, secret: AlpacaKeyConfig, states: readonly SecretState[]): Known[] {
  return states.flatMap((state) => {
    const { active, previous } = pairsOf(config, secret, state);
    const slots: [SlotIndex, KeyPair | undefined][] = [
      [state.active, active],
      [other(state.active), previous],
    ];
    return slots.flatMap(([slot, pair]): Known[] => {
      const generation = state.slots[slot];
      if (pair === undefined || generation === EMPTY) return [];
      const tried = async () => {
        const answer = await (await import("./ask")).seePair(config, pair);
        return { generation, name: pair.label, of: "Alpaca", supplied: true as const, answer };
      };
      return [{ generation, entries: pairEntries(secret, pair), tried }];
    });
  });
}

/** The pair in use; in a rotation the new one too: it may have been written by hand before it was supplied. */
export function pairsInUse(
  { config }: KnownStack,
  secret: AlpacaKeyConfig,
  { state, mode }: Decision,
): CredentialInUse<string> | undefined {
  const { active, previous } = pairsOf(config, secret, state);
  const pairs = mode === "adoption" ? [active] : previous === undefined ? [] : [previous, active];
  const entries = pairs.flatMap((pair) => (pair === undefined ? [] : pairEntries(secret, pair)));
  return entries.length === 0 ? undefined : { generation: activeGeneration(state), entries };
}
