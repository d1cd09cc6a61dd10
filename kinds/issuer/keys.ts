import type { CredentialInUse } from "../../components/preflight-input";
import type { Decision } from "../../core/decide";
import { type DocumentShape, documentEntry, type KeptShape, keysFor, shapesOf } from "../../core/document";
import { documentShape, hasValues, keyDocument } from "../../core/document-settings";
import { activeGeneration, EMPTY, other, previousGeneration, type SecretState, type SlotIndex } from "../../core/state";
import { rendered, type Scalar } from "../../core/template";
import { writtenBefore } from "../../stores/entries";
import type { StoreEntry } from "../../stores/store";
import { type Known, type KnownStack, shapeKept } from "../kind-operations";
import type { Values } from "./issuer";
import type { IssuedSecret, SuppliedConfig, SuppliedKey, SuppliedKeys, SuppliedKind } from "./supplied-kind";

/** The fields of a key, and the path of each in the store. */
export type Fields<S extends IssuedSecret> = Pick<SuppliedKind<S>, "fields" | "pathOf">;

/** The shapes of a key's document: as the config says, then as the store may still hold it. Empty if it has none. */
export function keyShapes<S extends IssuedSecret>(
  kind: Fields<S>,
  secret: S,
  kept: KeptShape | undefined,
): readonly DocumentShape[] {
  const now = documentShape(secret, keyDocument(kind.fields(secret)));
  return now === undefined ? [] : shapesOf(now, kept);
}

/** The entries of a key in the store: its document in each of these shapes, then the values. @param text of a template */
export const entriesOf = <S extends IssuedSecret, V>(
  kind: Fields<S>,
  secret: S,
  shapes: readonly DocumentShape[],
  text: (template: Scalar) => V,
): StoreEntry<V>[] => [
  ...shapes.map((shape) => documentEntry(shape, secret.removedKeys, {}, text) as StoreEntry<V>),
  ...(hasValues(secret)
    ? kind.fields(secret).map((field) => ({ path: kind.pathOf(secret, field), value: text(`{${field}}`) }))
    : []),
];

/** {@link entriesOf} for a key whose values are at hand. */
export const keyEntries = <S extends IssuedSecret>(
  kind: Fields<S>,
  secret: S,
  values: Values,
  shapes = keyShapes(kind, secret, undefined),
): StoreEntry[] => entriesOf(kind, secret, shapes, (template) => String(rendered(template, values)));

/** What the store must hold of a key. Until the first rotation it is the platform's own, and no extra has been written. */
export function heldEntries<S extends IssuedSecret>(
  kind: SuppliedKind<S>,
  secret: S,
  values: Values,
  state: SecretState,
): StoreEntry[] {
  const shapes = keyShapes(kind, secret, undefined);
  if (previousGeneration(state) !== undefined) return keyEntries(kind, secret, values, shapes);
  const own = shapes.map((shape) => {
    const names = kind.fields(secret).flatMap((field) => keysFor(shape, field));
    return { ...shape, keys: Object.fromEntries(names.map((name) => [name, shape.keys[name] ?? ""])) };
  });
  return keyEntries(kind, secret, values, own);
}

/** The key that a slot holds, found by its label; undefined if the config no longer has it. */
export function keyIn(keys: SuppliedKeys | undefined, state: SecretState, slot: SlotIndex): SuppliedKey | undefined {
  const label = state.slots[slot] === EMPTY ? null : state.labels[slot];
  return [keys?.current, keys?.previous].find((key) => key !== undefined && key.label === label);
}

/** The keys that the config knows, by the slot that their label is in. */
export function keysBySlot<S extends IssuedSecret>(
  kind: SuppliedKind<S>,
  config: SuppliedConfig,
  secret: Pick<S, "name">,
  state: SecretState | undefined,
): { readonly active: SuppliedKey | undefined; readonly previous: SuppliedKey | undefined } {
  const keys = kind.keysIn(config, secret);
  // Before the first update the key in use is the older one.
  if (state === undefined) return { active: keys?.previous ?? keys?.current, previous: undefined };
  return { active: keyIn(keys, state, state.active), previous: keyIn(keys, state, other(state.active)) };
}

/** The keys of these states, each to be tried. */
export function knownKeys<S extends IssuedSecret>(
  kind: SuppliedKind<S>,
  { config }: KnownStack,
  secret: S,
  states: readonly SecretState[],
): Known[] {
  return states.flatMap((state) => {
    const { active, previous } = keysBySlot(kind, config, secret, state);
    const slots: [SlotIndex, SuppliedKey | undefined][] = [
      [state.active, active],
      [other(state.active), previous],
    ];
    return slots.flatMap(([slot, key]): Known[] => {
      const generation = state.slots[slot];
      if (key === undefined || generation === EMPTY) return [];
      const tried = async () => {
        const answer = await (await import("./try-key")).seeKey(kind, config, secret, key.values);
        const of = kind.words(config, secret).issuer;
        return { generation, name: key.label, of, supplied: true as const, answer };
      };
      return [{ generation, entries: keyEntries(kind, secret, key.values), tried }];
    });
  });
}

/** The key in use; in a rotation the new one too: it may have been written by hand before it was supplied. */
export function keysInUse<S extends IssuedSecret>(
  kind: SuppliedKind<S>,
  { config, resources }: KnownStack,
  secret: S,
  { state, mode }: Decision,
): CredentialInUse<string> | undefined {
  const { active, previous } = keysBySlot(kind, config, secret, state);
  const keys = mode === "adoption" ? [active] : previous === undefined ? [] : [previous, active];
  const kept = shapeKept(resources, secret.name);
  const shapes = keyShapes(kind, secret, kept);
  const known = keys.flatMap((key) => (key === undefined ? [] : keyEntries(kind, secret, key.values, shapes)));
  const entries = writtenBefore(known, secret, kept);
  return entries.length === 0 ? undefined : { generation: activeGeneration(state), entries };
}
