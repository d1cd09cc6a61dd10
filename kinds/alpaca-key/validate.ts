import { sameAsStored } from "../../components/stored-values";
import { type AlpacaKeyConfig, policyOf } from "../../config";
import { graceEndsAt, oldEnded } from "../../core/deadlines";
import type { SecretState } from "../../core/state";
import type { Check, StackView } from "../kind-operations";
import { askAlpaca, storedPair } from "./ask";
import { heldEntries, pairsOf } from "./pairs";

/** The operator has the pair: the store must hold it, Alpaca must accept it, and the previous one must end in time. */
export function keyChecks({ config, now }: StackView, secret: AlpacaKeyConfig, state: SecretState): Check[] {
  const { active, previous } = pairsOf(config, secret, state);
  return [
    {
      point: "secret updated",
      look: async () => {
        if (active === undefined)
          throw new Error(`the config has no pair with the label ${state.labels[state.active]}`);
        return sameAsStored(config, heldEntries(secret, active, state));
      },
    },
    {
      point: "new credential works",
      look: async () => {
        const { keyId, secretKey } = (await storedPair(config, secret))?.pair ?? {};
        if (keyId === undefined || secretKey === undefined) throw new Error("the store holds no pair");
        const status = await askAlpaca(config, { keyId, secretKey });
        if (status !== 200) throw new Error(`Alpaca answers ${status} to the pair in the store`);
        return "Alpaca answers 200 to the pair in the store";
      },
    },
    {
      point: "old credential invalid",
      look: async () => {
        if (previous === undefined) return "there is none, or it is no longer in the config";
        const status = await askAlpaca(config, previous);
        const end = graceEndsAt(state, policyOf(config, secret));
        return oldEnded(status === 200, `Alpaca answers ${status} to the previous pair`, state, end, now);
      },
    },
  ];
}
