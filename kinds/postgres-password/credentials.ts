import type { CredentialInUse } from "../../components/preflight-input";
import type { PostgresPasswordConfig } from "../../config";
import type { Decision } from "../../core/decide";
import { activeGeneration, adoptedGeneration, other, type SecretState, type SlotIndex } from "../../core/state";
import { writtenBefore } from "../../stores/entries";
import type { StoreEntry } from "../../stores/store";
import { type Known, type KnownStack, shapeKept } from "../kind-operations";
import { passwordInSlot, type SlotsOf } from "../slot-password";
import { adoptedEntries, documentShapes, loginEntries, plainly } from "./entries";
import { activeUsername } from "./roles";

/** A login with its password: keep it in memory, print none of it but the user. */
export interface Login {
  readonly generation: number;
  readonly username: string;
  readonly password: string;
  /** The store's entries while this login is the active one. */
  readonly entries: readonly StoreEntry[];
}

/** The logins of a database password that the stack knows. */
export interface Logins {
  readonly active: Login | undefined;
  /** The one a rollback returns to. */
  readonly previous: Login | undefined;
}

/** Reads a secret's logins from the stack's decrypted state. */
export function loginsOf(stack: SlotsOf, secret: PostgresPasswordConfig, state: SecretState): Logins {
  const login = (slot: SlotIndex): Login | undefined => {
    const generation = state.slots[slot];
    const password = passwordInSlot(stack, secret.name, state, slot);
    if (password === undefined) return undefined;
    const username = activeUsername(secret.strategy, secret.role, { ...state, active: slot });
    // The store of an adopted platform has the password alone.
    const named = generation !== 0 || state.step.action === "ROLLBACK";
    const shapes = documentShapes(secret, undefined);
    const entries = loginEntries(secret, shapes, { username, password, named, apply: plainly });
    return { generation, username, password, entries };
  };
  return { active: login(state.active), previous: login(other(state.active)) };
}

/** The logins of these states, each to be tried. */
export function knownLogins(
  stack: KnownStack,
  secret: PostgresPasswordConfig,
  states: readonly SecretState[],
): Known[] {
  return states.flatMap((state) => {
    const { active, previous } = loginsOf(stack, secret, state);
    return [active, previous].flatMap((login) => {
      if (login === undefined) return [];
      const { generation, username, entries } = login;
      const tried = async () => (await import("./see-login")).seeLogin(secret, login);
      return [{ generation, username, entries, tried }];
    });
  });
}

/** The login that the store must hold before the update acts. */
export const loginInUse = (
  stack: KnownStack,
  secret: PostgresPasswordConfig,
  decision: Decision,
): CredentialInUse<string> | undefined =>
  adoptedLogin(stack, secret, decision) ?? finishedLogin(stack, secret, decision);

/** What an update adopts by request. */
function adoptedLogin(
  { config: { adopted }, resources }: KnownStack,
  secret: PostgresPasswordConfig,
  { state, action }: Decision,
): CredentialInUse<string> | undefined {
  const [generation, password] = [activeGeneration(state), adopted[secret.name]];
  if (action !== "ADOPT" || generation === 0 || generation !== adoptedGeneration(state) || password === undefined)
    return undefined;
  const username = activeUsername(secret.strategy, secret.role, state);
  const shapes = documentShapes(secret, shapeKept(resources, secret.name));
  const entries = adoptedEntries(secret, shapes, { username, password, named: false, apply: plainly });
  return { generation, username, password, entries };
}

function finishedLogin(
  stack: KnownStack,
  secret: PostgresPasswordConfig,
  { finished }: Decision,
): CredentialInUse<string> | undefined {
  const login =
    finished === undefined
      ? { generation: 0, username: secret.role, password: stack.config.adopted[secret.name] }
      : loginsOf(stack, secret, finished).active;
  if (login?.password === undefined) return undefined;
  const { generation, username, password } = login;
  const kept = shapeKept(stack.resources, secret.name);
  const stored = { username, password, named: generation !== 0, apply: plainly };
  const entries = writtenBefore(loginEntries(secret, documentShapes(secret, kept), stored), secret, kept);
  return { generation, username, password, entries };
}
