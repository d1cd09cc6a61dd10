import { nextState } from "../../../core/next-state";
import type { Kind } from "../../../kinds/kind";
import { toyAsks } from "./asks";
import { operations } from "./operations";
import type { ToyConfig } from "./schema";

/** The kind of the test that a kind is one folder. */
export const toy: Kind<ToyConfig> = {
  asks: toyAsks,
  observe: async () => ({}),
  rules: () => ({
    next: (state, situation) => nextState(state, { ...situation, hasAdopted: false }),
    modeOf: toyAsks.modeOf,
    canFinish: () => true,
  }),
  declare: async (secret, stack) => (await import("./declare")).declareToy(secret, stack),
  operations,
};
