import { sameAsStored } from "../../components/stored-values";
import { policyOf } from "../../config";
import { graceEndsAt, oldEnded } from "../../core/deadlines";
import type { SecretState } from "../../core/state";
import type { Check, StackView } from "../kind-operations";
import type { Values, Verdict } from "./issuer";
import { heldEntries, keysBySlot } from "./keys";
import type { IssuedSecret, SuppliedKind } from "./supplied-kind";
import { storedKey, whole } from "./try-key";

/** The operator has the key: the store must hold it, its issuer must accept it, and the previous one must end in time. */
export function keyChecks<S extends IssuedSecret>(
  kind: SuppliedKind<S>,
  { config, now }: StackView,
  secret: S,
  state: SecretState,
): Check[] {
  const { active, previous } = keysBySlot(kind, config, secret, state);
  const { noun } = kind.words(config, secret);
  const ask = async (values: Values): Promise<Verdict> => {
    const verdict = await kind.verify(config, secret, values, { limit: 10_000, timeout: 5000 });
    if (verdict.answer === "unknown" && !verdict.answered) throw new Error(verdict.evidence);
    return verdict;
  };
  return [
    {
      point: "secret updated",
      look: async () => {
        if (active === undefined)
          throw new Error(`the config has no ${noun} with the label ${state.labels[state.active]}`);
        return sameAsStored(config, heldEntries(kind, secret, active.values, state));
      },
    },
    {
      point: "new credential works",
      look: async () => {
        const values = whole(await storedKey(kind, config, secret));
        if (values === undefined) throw new Error(`the store holds no ${noun}`);
        const { answer, evidence } = await ask(values);
        if (answer !== "works") throw new Error(`${evidence} to the ${noun} in the store`);
        return `${evidence} to the ${noun} in the store`;
      },
    },
    {
      point: "old credential invalid",
      look: async () => {
        if (previous === undefined) return "there is none, or it is no longer in the config";
        const { answer, evidence } = await ask(previous.values);
        if (answer === "unknown")
          throw new Error(`${evidence} to the previous ${noun}, which does not say that it ended`);
        const end = graceEndsAt(state, policyOf(config, secret));
        return oldEnded(answer === "works", `${evidence} to the previous ${noun}`, state, end, now);
      },
    },
  ];
}
