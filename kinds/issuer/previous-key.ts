import type { Config } from "../../config";
import { unfinishedOf } from "../../core/begun";
import { other, previousGeneration, type SecretState } from "../../core/state";
import type { Patience } from "./issuer";
import { keyIn } from "./keys";
import type { IssuedSecret, KeysConfig, SuppliedKey, SuppliedKind } from "./supplied-kind";

/**
 * Whether the previous key still works: `alive`, `gone` (refused, while the key in use works), or `unknown` with the reason.
 */
export type PreviousSeen =
  | { readonly previous: "alive" | "gone" }
  | { readonly previous: "unknown"; readonly because: string };

/** What the issuer says about the previous key; undefined if it was not asked. */
export interface KeySeen {
  readonly previousKey?: PreviousSeen | undefined;
}

/** Short: this must never delay an update that has nothing to do with the issuer. */
const BRIEFLY: Patience = { limit: 6000, timeout: 4000 };

/** Asks the issuer about the previous key. Never throws. */
export async function seePrevious<S extends IssuedSecret>(
  kind: SuppliedKind<S>,
  config: KeysConfig,
  secret: S,
  { previous, active }: { readonly previous: SuppliedKey; readonly active: SuppliedKey | undefined },
  patience = BRIEFLY,
): Promise<PreviousSeen> {
  const { noun } = kind.words(config, secret);
  const seen = await kind.verify(config, secret, previous.values, patience);
  if (seen.answer === "works") return { previous: "alive" };
  if (seen.answer === "unknown") {
    return { previous: "unknown", because: seen.evidence + (seen.answered ? ", which a deleted key does not" : "") };
  }
  if (active === undefined)
    return { previous: "unknown", because: `the ${noun} in use is not in the config to compare` };
  // If the issuer refuses every key, that says nothing about this one.
  const inUse = await kind.verify(config, secret, active.values, patience);
  if (inUse.answer === "works") return { previous: "gone" };
  if (inUse.answer === "unknown" && !inUse.answered) return { previous: "unknown", because: inUse.evidence };
  const because = `the ${noun} in use, ${active.label}, is refused as well (${inUse.evidence})`;
  return { previous: "unknown", because };
}

/**
 * Asks the issuer about a previous key whose end has not been observed yet, or that a request wants back. Never throws.
 *
 * @param finished the state as the last finished update left it
 * @param recorded the target of the last activation
 * @returns undefined if there is nothing to ask
 */
export async function seePreviousKey<S extends IssuedSecret>(
  kind: SuppliedKind<S>,
  config: KeysConfig & Pick<Config, "request">,
  secret: S,
  finished: SecretState | undefined,
  recorded: SecretState | undefined,
): Promise<PreviousSeen | undefined> {
  const before = unfinishedOf(finished, recorded) ?? finished;
  const keys = kind.keysIn(config, secret);
  if (before === undefined || keys === undefined) return undefined;
  const previous = keyIn(keys, before, other(before.active));
  const wanted = unhandled(config, secret, before)?.activate === previousGeneration(before);
  if (previous === undefined || (before.revoked && !wanted)) return undefined;
  return seePrevious(kind, config, secret, { previous, active: keyIn(keys, before, before.active) });
}

/** The request of a key that its state has not handled yet. */
export const unhandled = (
  { request }: Pick<Config, "request">,
  { name }: Pick<IssuedSecret, "name">,
  before: SecretState | undefined,
) => (request?.secret === name && request.id !== before?.handledRequest ? request : undefined);
