import { placesOf, restartPlaces } from "../../../components/places";
import { stored, writeBack } from "../../../components/stored-values";
import type { SecretState } from "../../../core/state";
import type { About, Finding, StackView } from "../../../kinds/kind-operations";
import { holdsEntry } from "../../stores/entries";
import type { ToyConfig } from "./schema";
import { tokenOf } from "./token";

/** A token that another writer wrote. */
export async function tokenFindings(
  stack: StackView,
  secret: ToyConfig,
  state: SecretState,
  about: About,
): Promise<Finding[]> {
  const { config, command } = stack;
  const [held, ours] = [await stored(config, secret.name), tokenOf(stack, secret, state, state.active)];
  if (ours === undefined || ours.entries.every((entry) => holdsEntry(held, entry))) return [];
  return [
    about({
      cause: "the store holds another token than the one in use",
      evidence: `${secret.name} has version ${held?.version ?? "none"}`,
      command: command(`diagnose ${secret.name} --fix`),
      fix: async () => {
        await writeBack(config, ours.entries, state);
        return `the token is back; ${await restartPlaces(config, placesOf(config, secret))}`;
      },
    }),
  ];
}
