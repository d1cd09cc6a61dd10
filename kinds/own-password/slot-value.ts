import type { Config } from "../../config";
import { nameOf, slugOf } from "../../core/resource-names";
import { adoptedGeneration, EMPTY, type SecretState, type SlotIndex } from "../../core/state";
import type { KnownStack, NamedResource } from "../kind-operations";

/** Where the passwords of slots are: the config's `adopted`, and the stack's decrypted state. */
export type SlotsOf = { readonly config: Pick<Config, "adopted"> } & Pick<KnownStack, "resources">;

/** A slot's letter in the names of its resources. */
export const letter = (slot: SlotIndex) => (slot === 0 ? "a" : "b");

/** What the names of a slot's resources begin with: declared by it, and found by it in the state. */
export const slotName = (component: string, slot: SlotIndex): string => `${component}-slot-${letter(slot)}`;

/** The password of a slot's generation; undefined if the slot is empty, or the stack does not know it. */
export function passwordInSlot(
  { config: { adopted }, resources }: SlotsOf,
  secret: string,
  state: SecretState,
  slot: SlotIndex,
): string | undefined {
  const generation = state.slots[slot];
  if (generation === EMPTY) return undefined;
  return generation === adoptedGeneration(state) ? adopted[secret] : slotValue(resources, secret, slot, generation);
}

/** A slot's password, if the slot really holds that generation: a half-finished update may have filled it anew. */
function slotValue(
  resources: readonly NamedResource[],
  secret: string,
  slot: SlotIndex,
  generation: number,
): string | undefined {
  const name = `${slotName(slugOf(secret), slot)}-password`;
  const resource = resources.find(
    ({ type, urn }) => type === "random:index/randomPassword:RandomPassword" && nameOf(urn) === name,
  );
  const keepers = resource?.outputs?.keepers as { generation?: string } | undefined;
  return keepers?.generation === String(generation) ? plain(resource?.outputs?.result) : undefined;
}

/** A secret in an export with `--show-secrets` is an object that carries its value as JSON. */
export function plain(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  const text = (value as { plaintext?: string } | undefined)?.plaintext;
  return text === undefined ? undefined : (JSON.parse(text) as string);
}
