import { requestFor, twoWays } from "../../components/foreign-advice";
import type { KindAsks } from "../../components/preflight-input";
import { modeOf } from "../../core/decide";
import { activeGeneration, previousGeneration, type SecretState } from "../../core/state";
import type { IssuedSecret, KeyTerms } from "./supplied-kind";

/** What the preflight of a supplied key checks; what only the issuer knows, the step that verifies it checks. */
export const suppliedKeyAsks = <S extends IssuedSecret>(
  termsOf: (secret: Pick<S, "name">) => KeyTerms,
): KindAsks<S> => ({
  modeOf(state) {
    // The key in use is the only one so far: nothing changes.
    if (previousGeneration(state) === undefined) return "adoption";
    return state.endedEarly === undefined ? modeOf(state) : "repair";
  },
  asksInUse: (mode) => mode === "rotation" || mode === "adoption",
  expected: () => undefined,
  whenForeign(secret, { mode, state }) {
    if (mode === "adoption") return unknownKey(secret, state, termsOf(secret));
    const wish = mode === "rollback" ? `"activate":${activeGeneration(state)}` : '"rotate":true';
    return twoWays(
      `supply it under a new label with \`${termsOf(secret).supply.command}\``,
      requestFor(secret.name, `${wish},"force":true`),
    );
  },
  own: () => ({}),
});

const unknownKey = ({ name }: IssuedSecret, { labels, active }: SecretState, { configKey, noun }: KeyTerms) =>
  `expected the store to hold the ${noun} ${labels[active]}, the one in use. If that is a new ${noun}, give the one in use as ` +
  `well: ${configKey}["${name}"].previous`;
