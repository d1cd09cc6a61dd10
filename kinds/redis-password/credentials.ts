import type { CredentialInUse } from "../../components/preflight-input";
import { seen } from "../../components/seen";
import type { Decision } from "../../core/decide";
import { activeGeneration, adoptedGeneration, other, type SecretState, type SlotIndex } from "../../core/state";
import { writtenBefore } from "../../stores/entries";
import type { StoreEntry } from "../../stores/store";
import { type Known, type KnownStack, shapeKept } from "../kind-operations";
import { passwordInSlot, type SlotsOf } from "../slot-password";
import { adoptedEntries, documentShapes, passwordEntries, plainly } from "./entries";
import { redisOf } from "./reference";
import type { RedisPasswordConfig } from "./schema";

/** A password: keep it in memory and print none of it. */
export interface KnownPassword {
  readonly generation: number;
  readonly password: string;
  /** The store's entries while it is the active one. */
  readonly entries: readonly StoreEntry[];
}

/** The passwords of a secret that the stack knows. */
export interface Passwords {
  readonly active: KnownPassword | undefined;
  /** The one a rollback returns to. */
  readonly previous: KnownPassword | undefined;
}

/** Reads a secret's passwords from the stack's decrypted state. */
export function passwordsOf(stack: SlotsOf, secret: RedisPasswordConfig, state: SecretState): Passwords {
  const at = (slot: SlotIndex): KnownPassword | undefined => {
    const generation = state.slots[slot];
    const password = passwordInSlot(stack, secret.name, state, slot);
    if (password === undefined) return undefined;
    const entries = passwordEntries(secret, documentShapes(secret, undefined), { password, apply: plainly });
    return { generation, password, entries };
  };
  return { active: at(state.active), previous: at(other(state.active)) };
}

/** The passwords of these states, each to be tried. */
export const knownPasswords = (
  stack: KnownStack,
  secret: RedisPasswordConfig,
  states: readonly SecretState[],
): Known[] =>
  states.flatMap((state) => {
    const { active, previous } = passwordsOf(stack, secret, state);
    return [active, previous].flatMap((known) => {
      if (known === undefined) return [];
      const { generation, password, entries } = known;
      const tried = async () => ({
        generation,
        name: secret.user,
        of: "Redis",
        answer: await answerTo(secret, password),
      });
      return [{ generation, username: secret.user, entries, tried }];
    });
  });

/** Whether every server takes a password. Never throws. */
const answerTo = (secret: RedisPasswordConfig, password: string) =>
  seen(async () => {
    const { tryEverywhere } = await import("./connection");
    const { outcome, evidence } = await tryEverywhere(redisOf(secret), password);
    if (outcome === "unknown") throw new Error(evidence);
    return outcome;
  });

/** The password that the store must hold before the update acts. */
export function passwordInUse(
  stack: KnownStack,
  secret: RedisPasswordConfig,
  { state, action, finished }: Decision,
): CredentialInUse<string> | undefined {
  const { config, resources } = stack;
  const [adopting, adopted] = [activeGeneration(state), config.adopted[secret.name]];
  const kept = shapeKept(resources, secret.name);
  const shapes = documentShapes(secret, kept);
  if (action === "ADOPT" && adopting !== 0 && adopting === adoptedGeneration(state) && adopted !== undefined) {
    const entries = adoptedEntries(secret, shapes, { password: adopted, apply: plainly });
    return { generation: adopting, username: secret.user, password: adopted, entries };
  }
  const known =
    finished === undefined ? { generation: 0, password: adopted } : passwordsOf(stack, secret, finished).active;
  if (known?.password === undefined) return undefined;
  const { generation, password } = known;
  const entries = writtenBefore(passwordEntries(secret, shapes, { password, apply: plainly }), secret, kept);
  return { generation, username: secret.user, password, entries };
}
