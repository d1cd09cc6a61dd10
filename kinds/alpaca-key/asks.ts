import { requestFor, twoWays } from "../../components/foreign-advice";
import type { KindAsks } from "../../components/preflight-input";
import type { AlpacaKeyConfig } from "../../config";
import { modeOf } from "../../core/decide";
import { activeGeneration, previousGeneration, type SecretState } from "../../core/state";

/** What the preflight of a key pair checks; what only Alpaca knows, `verify-alpaca` checks. */
export const alpacaKeyAsks: KindAsks<AlpacaKeyConfig> = {
  modeOf(state) {
    // The pair in use is the only one so far: nothing changes.
    if (previousGeneration(state) === undefined) return "adoption";
    return state.endedEarly === undefined ? modeOf(state) : "repair";
  },
  asksInUse: (mode) => mode === "rotation" || mode === "adoption",
  expected: () => undefined,
  whenForeign(secret, { mode, state }) {
    if (mode === "adoption") return unknownPair(secret, state);
    return foreignPair(secret.name, mode === "rollback" ? activeGeneration(state) : undefined);
  },
  own: () => ({}),
};

const unknownPair = ({ name }: AlpacaKeyConfig, { labels, active }: SecretState) =>
  `expected the store to hold the pair ${labels[active]}, the one in use. If that is a new pair, give the one in use as ` +
  `well: alpacaKeys["${name}"].previous`;

/** @param back the generation that a rollback returns to; undefined for a rotation. */
function foreignPair(secret: string, back: number | undefined): string {
  const wish = back === undefined ? '"rotate":true' : `"activate":${back}`;
  return twoWays(
    "supply it under a new label with `rotation alpaca add-key`",
    requestFor(secret, `${wish},"force":true`),
  );
}
