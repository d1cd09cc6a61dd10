import { createHash } from "node:crypto";
import { PROJECT } from "../config";
import { SECRET_KEYS } from "../config/schema";
import type { SecretState } from "../core/state";
import { without } from "../core/without";

/**
 * What a preview rests on, beside a secret's state: {@link planGuard}. Secrets stand in it as 16 bits of their hash, which
 * say that one changed and are of no use to whoever guesses at one.
 *
 * @param config every key of the stack's config (`pulumi.runtime.allConfig()`)
 * @param program the program's own file
 */
export function planBasis(config: Readonly<Record<string, string>>, program: Buffer): readonly string[] {
  const open = (key: string) => key.startsWith(`${PROJECT}:`) && !SECRET_KEYS.includes(key.slice(PROJECT.length + 1));
  const keys = Object.keys(config).sort();
  const hash = (chosen: readonly string[]) => digest(JSON.stringify(chosen.map((key) => [key, config[key]])));
  return [
    `config-${hash(keys.filter(open)).slice(0, 12)}`,
    `secret-config-${hash(keys.filter((key) => !open(key))).slice(0, 4)}`,
    `program-${digest(program).slice(0, 12)}`,
  ];
}

/**
 * The `ignoreChanges` of a secret's component, which changes nothing but makes a saved plan (`pulumi up --plan`) fail there,
 * where what it rests on is not what it was: "violates plan: ignoreChanges changed: added config-...; deleted config-...".
 *
 * Without it the first step with other inputs would fail, and Pulumi prints those as they are, credentials included. The
 * component has no input that is a secret, and none of its resources is declared before it. As an input the same would be
 * one more change in the preview of every rotation.
 */
export function planGuard(basis: readonly string[], state: SecretState): string[] {
  // Without the times at which the program ran.
  const held = without(state, "rotatedAt", "filledAt", "notBefore", "step");
  const done = without(state.step, "at");
  return [...basis, `state-${digest(JSON.stringify([held, done])).slice(0, 12)}`];
}

const digest = (of: string | Buffer) => createHash("sha256").update(of).digest("hex");
