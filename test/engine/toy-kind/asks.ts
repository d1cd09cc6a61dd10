import type { KindAsks } from "../../../components/preflight-input";
import { modeOf } from "../../../core/decide";
import type { ToyConfig } from "./schema";

/** What the preflight of a toy asks: the token in use is the one in the store. */
export const toyAsks: KindAsks<ToyConfig> = {
  modeOf,
  asksInUse: (mode, force) => mode === "rotation" || force,
  expected: () => [],
  whenForeign: ({ name }) => `Put the token of ${name} back`,
  own: () => ({}),
};
