import { sameAsStored } from "../../../components/stored-values";
import type { SecretState } from "../../../core/state";
import type { Check, StackView } from "../../../kinds/kind-operations";
import type { ToyConfig } from "./schema";
import { tokenOf } from "./token";

/** The store must hold the token in use. */
export async function tokenChecks(stack: StackView, secret: ToyConfig, state: SecretState): Promise<Check[]> {
  const entries = tokenOf(stack, secret, state, state.active)?.entries ?? [];
  return [{ point: "secret updated", look: () => sameAsStored(stack.config, entries) }];
}
