import { createHash } from "node:crypto";
import { PROJECT } from "../config";
import { SECRET_KEYS } from "../config/schema";
import type { SecretState } from "../core/state";
import { without } from "../core/without";

/**
 * What a preview depends on, besides a secret's state: {@link planGuard}. It contains 16 bits of each secret's hash, which
 * show that a secret changed and are of no use for guessing it.
 *
 * @param config every key of the stack's config (`pulumi.runtime.allConfig()`)
 * @param program the program's own file
 */
export function planBasis(config: Readonly<Record<string, string>>, program: Buffer): readonly string[] {
  const keys = Object.keys(config).sort();
  const hash = (chosen: readonly string[]) => digest(JSON.stringify(chosen.map((key) => [key, config[key]])));
  return [
    `config-${hash(keys.filter(isOpen)).slice(0, 12)}`,
    `secret-config-${hash(keys.filter((key) => !isOpen(key))).slice(0, 4)}`,
    `program-${digest(program).slice(0, 12)}`,
  ];
}

/**
 * The digest of config and program to which approvals are held. Without the request, which only says what is decided anyway,
 * and with the same 16 bits of what is secret.
 */
export function planDigest(config: Readonly<Record<string, string>>, program: Buffer): string {
  const bare = without(config, `${PROJECT}:request`);
  const keys = Object.keys(bare).sort();
  const open = keys.filter(isOpen).map((key) => [key, bare[key]]);
  const [, secret] = planBasis(bare, program);
  return digest(JSON.stringify([open, secret, digest(program)]));
}

const isOpen = (key: string) => key.startsWith(`${PROJECT}:`) && !SECRET_KEYS.includes(key.slice(PROJECT.length + 1));

/**
 * The `ignoreChanges` of a secret's component, which changes nothing but makes a saved plan (`pulumi up --plan`) fail there
 * if its basis has changed: "violates plan: ignoreChanges changed: added config-...; deleted config-...".
 *
 * Without it the first step with changed inputs would fail, and Pulumi prints those as they are, credentials included. The
 * component has no input that is a secret, and none of its resources is declared before it. As an input the same would be
 * one more change in the preview of every rotation.
 */
export function planGuard(basis: readonly string[], state: SecretState): string[] {
  // Without the times at which the program ran.
  const held = without(state, "rotatedAt", "filledAt", "notBefore", "step");
  const done = without(state.step, "at", "plan", "approvedBy");
  return [...basis, `state-${digest(JSON.stringify([held, done])).slice(0, 12)}`];
}

const digest = (of: string | Buffer) => createHash("sha256").update(of).digest("hex");
