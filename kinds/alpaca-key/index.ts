import type { AlpacaKeyConfig } from "../../config";
import { labelDate } from "../../core/key-label";
import { nextState } from "../../core/next-state";
import type { Kind } from "../kind";
import { alpacaKeyAsks } from "./asks";
import { operations } from "./operations";
import { type AlpacaKeySeen, keysOf, seePreviousKey } from "./previous-keys";
import { probedPair } from "./probed";

/** A key pair of Alpaca, which only the operator can make: a new label is what rotates. */
export const alpacaKey: Kind<AlpacaKeyConfig, AlpacaKeySeen> = {
  asks: alpacaKeyAsks,
  observe: async (secret, { config, finished, recorded }) => ({
    previousKey: await seePreviousKey(config, secret, finished, recorded),
  }),
  rules(secret, config, { previousKey }) {
    const { current, previous } = keysOf(config, secret);
    return {
      next: (state, situation) =>
        nextState(state, {
          ...situation,
          hasAdopted: true,
          suppliedKeyLabel: current.label,
          adoptedKeyLabel: previous?.label,
          adoptedSince: labelDate((previous ?? current).label),
          previousGone: previousKey?.previous === "gone",
        }),
      modeOf: alpacaKeyAsks.modeOf,
      // The operator may have removed a pair again, for example since Alpaca refused it; the store may still hold it.
      canFinish: ({ labels, active }) => [current.label, previous?.label].includes(labels[active] ?? undefined),
    };
  },
  probed: probedPair,
  declare: async (secret, stack, seen) => (await import("./declare")).declareAlpacaKey(secret, stack, seen),
  operations,
};
