import type { KindAsks } from "../../components/preflight-input";
import { labelDate } from "../../core/key-label";
import { nextState } from "../../core/next-state";
import type { Kind } from "../kind";
import { type KeySeen, seePreviousKey } from "./previous-key";
import type { IssuedSecret, SuppliedKind } from "./supplied-kind";

/** What is observed of a supplied key, and the rules of its decisions: a new label is what rotates. */
export const suppliedRules = <S extends IssuedSecret>(
  kind: SuppliedKind<S>,
  { modeOf }: KindAsks<S>,
): Pick<Kind<S, KeySeen>, "observe" | "rules"> => ({
  observe: async (secret, { config, finished, recorded }) => ({
    previousKey: await seePreviousKey(kind, config, secret, finished, recorded),
  }),
  rules(secret, config, { previousKey }) {
    const keys = kind.keysIn(config, secret);
    const { configKey, supply } = kind.terms(secret);
    if (keys === undefined) throw new Error(`the config's checks must have asked for \`${configKey}\``);
    const { current, previous } = keys;
    return {
      next: (state, situation) =>
        nextState(state, {
          ...situation,
          hasAdopted: true,
          suppliedKeyLabel: current.label,
          supply,
          adoptedKeyLabel: previous?.label,
          adoptedSince: labelDate((previous ?? current).label),
          previousGone: previousKey?.previous === "gone",
        }),
      modeOf,
      // The operator may have removed a key again, for example since its issuer refused it; the store may still hold it.
      canFinish: ({ labels, active }) => [current.label, previous?.label].includes(labels[active] ?? undefined),
    };
  },
});
