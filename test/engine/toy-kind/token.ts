import { nameOf, slugOf } from "../../../core/resource-names";
import type { SecretState, SlotIndex } from "../../../core/state";
import type { Known, KnownStack } from "../../../kinds/kind-operations";
import type { ToyConfig } from "./schema";

/** The token of a slot, as the stack's state has it. Its readers take it from the store. */
export function tokenOf(
  { resources }: KnownStack,
  { name }: ToyConfig,
  { slots }: SecretState,
  slot: SlotIndex,
): Known | undefined {
  const generation = slots[slot];
  const result = resources.find(({ urn }) => nameOf(urn) === `${slugOf(name)}-slot-${slot}`)?.outputs?.result;
  if (generation <= 0 || result === undefined) return undefined;
  const value = JSON.parse((result as { readonly plaintext: string }).plaintext) as string;
  const tried = async () => ({ generation, name: `token ${generation}`, of: "its readers", answer: "works" as const });
  return { generation, entries: [{ path: name, value }], tried };
}
