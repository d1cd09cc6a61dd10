import type { CredentialInUse } from "../../components/preflight-input";
import type { AlpacaKeyConfig, Config, KeyPair } from "../../config";
import type { Decision } from "../../core/decide";
import { type DocumentShape, documentEntry, type KeptShape, keysFor, shapesOf } from "../../core/document";
import { documentShape, hasValues } from "../../core/document-settings";
import { activeGeneration, EMPTY, other, previousGeneration, type SecretState, type SlotIndex } from "../../core/state";
import { rendered } from "../../core/template";
import { writtenBefore } from "../../stores/entries";
import type { StoreEntry } from "../../stores/store";
import { type Known, type KnownStack, shapeKept } from "../kind-operations";
import { PAIR_DOCUMENT } from "./schema";

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

type Halves = Pick<KeyPair, "keyId" | "secretKey">;

/** The shapes of a pair's document: as the config says, then as the store may still hold it. Empty if it has none. */
export function pairShapes(secret: AlpacaKeyConfig, kept: KeptShape | undefined): readonly DocumentShape[] {
  const now = documentShape(secret, PAIR_DOCUMENT);
  return now === undefined ? [] : shapesOf(now, kept);
}

/** The entries of a pair in the store: its document in each of these shapes, then the values. */
export const pairEntries = (
  secret: AlpacaKeyConfig,
  { keyId, secretKey }: Halves,
  shapes: readonly DocumentShape[] = pairShapes(secret, undefined),
): StoreEntry[] => [
  ...shapes.map((shape) =>
    documentEntry(shape, secret.removedKeys, {}, (template) => String(rendered(template, { keyId, secretKey }))),
  ),
  ...(hasValues(secret)
    ? [
        { path: secret.keyIdPath, value: keyId },
        { path: secret.secretKeyPath, value: secretKey },
      ]
    : []),
];

/** What the store must hold of a pair. Until the first rotation it is the platform's own, and no extra has been written. */
export function heldEntries(secret: AlpacaKeyConfig, pair: Halves, state: SecretState): StoreEntry[] {
  const shapes = pairShapes(secret, undefined);
  if (previousGeneration(state) !== undefined) return pairEntries(secret, pair, shapes);
  const own = shapes.map((shape) => {
    const names = PAIR_DOCUMENT.parts.flatMap((part) => keysFor(shape, part));
    return { ...shape, keys: Object.fromEntries(names.map((name) => [name, shape.keys[name] ?? ""])) };
  });
  return pairEntries(secret, pair, own);
}

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
  { config, resources }: KnownStack,
  secret: AlpacaKeyConfig,
  { state, mode }: Decision,
): CredentialInUse<string> | undefined {
  const { active, previous } = pairsOf(config, secret, state);
  const pairs = mode === "adoption" ? [active] : previous === undefined ? [] : [previous, active];
  const kept = shapeKept(resources, secret.name);
  const shapes = pairShapes(secret, kept);
  const known = pairs.flatMap((pair) => (pair === undefined ? [] : pairEntries(secret, pair, shapes)));
  const entries = writtenBefore(known, secret, kept);
  return entries.length === 0 ? undefined : { generation: activeGeneration(state), entries };
}
