import type { Config } from "../../config";
import { nameOf, slugOf } from "../../core/resource-names";
import { adoptedGeneration, EMPTY, type SecretState, type SlotIndex } from "../../core/state";
import type { KnownStack, NamedResource } from "../kind-operations";

/** Where the passwords of slots are: the config's `adopted`, and the stack's decrypted state. */
export type SlotsOf = { readonly config: Pick<Config, "adopted"> } & Pick<KnownStack, "resources">;

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
  const name = `${slugOf(secret)}-slot-${slot === 0 ? "a" : "b"}-password`;
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
