import type { CredentialInUse } from "../../components/preflight-input";
import type { Decision } from "../../core/decide";
import type { DocumentConfig } from "../../core/document-settings";
import { activeGeneration, adoptedGeneration, other, type SecretState, type SlotIndex } from "../../core/state";
import { writtenBefore } from "../../stores/entries";
import type { StoreEntry } from "../../stores/store";
import { type KnownStack, shapeKept } from "../kind-operations";
import { documentShapes, plainly } from "./entries";
import { adoptedEntries, entriesOf, type OwnKind } from "./own-kind";
import { passwordInSlot, type SlotsOf } from "./slot-value";

/** A login with its password: keep it in memory, print none of it but the user. */
export interface Login {
  readonly generation: number;
  readonly username: string;
  readonly password: string;
  /** The store's entries while this login is the active one. */
  readonly entries: readonly StoreEntry[];
}

/** The logins of a secret that the stack knows. */
export interface Logins {
  readonly active: Login | undefined;
  /** The one a rollback returns to. */
  readonly previous: Login | undefined;
}

/** Reads a secret's logins from the stack's decrypted state. */
export function loginsIn<S extends DocumentConfig>(
  kind: OwnKind<S>,
  stack: SlotsOf,
  secret: S,
  state: SecretState,
): Logins {
  const login = (slot: SlotIndex): Login | undefined => {
    const generation = state.slots[slot];
    const password = passwordInSlot(stack, secret.name, state, slot);
    if (password === undefined) return undefined;
    const username = kind.userOf(secret, state, slot);
    // The store of an adopted platform has the password alone.
    const named = generation !== 0 || state.step.action === "ROLLBACK";
    const shapes = documentShapes(secret, kind.document(secret), undefined);
    const entries = entriesOf(kind, secret, shapes, { username, password, apply: plainly }, named);
    return { generation, username, password, entries };
  };
  return { active: login(state.active), previous: login(other(state.active)) };
}

/** The logins of all these states. */
export const loginsOfAll = <S extends DocumentConfig>(
  kind: OwnKind<S>,
  stack: SlotsOf,
  secret: S,
  states: readonly SecretState[],
): Login[] =>
  states.flatMap((state) => {
    const { active, previous } = loginsIn(kind, stack, secret, state);
    return [active, previous].filter((login) => login !== undefined);
  });

/** The login that the store must hold before the update acts. */
export function loginInUseOf<S extends DocumentConfig>(
  kind: OwnKind<S>,
  stack: KnownStack,
  secret: S,
  { state, action, finished }: Decision,
): CredentialInUse<string> | undefined {
  const { config, resources } = stack;
  const [adopting, adopted] = [activeGeneration(state), config.adopted[secret.name]];
  const kept = shapeKept(resources, secret.name);
  const shapes = documentShapes(secret, kind.document(secret), kept);
  if (action === "ADOPT" && adopting !== 0 && adopting === adoptedGeneration(state) && adopted !== undefined) {
    const username = kind.userOf(secret, state, state.active);
    const entries = adoptedEntries(kind, secret, shapes, { username, password: adopted, apply: plainly });
    return { generation: adopting, username, password: adopted, entries };
  }
  const login =
    finished === undefined
      ? { generation: 0, username: kind.firstUser(secret), password: adopted }
      : loginsIn(kind, stack, secret, finished).active;
  if (login?.password === undefined) return undefined;
  const { generation, username, password } = login;
  const entries = entriesOf(kind, secret, shapes, { username, password, apply: plainly }, generation !== 0);
  return { generation, username, password, entries: writtenBefore(entries, secret, kept) };
}
