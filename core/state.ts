import type { PasswordRule } from "./password-rule";

/** Counts the credentials a secret has had. 0 is the one that the platform had before. */
export type Generation = number;

/** A slot that nothing has filled yet. Below every generation, so `max(slots) + 1` stays right. */
export const EMPTY = -1;

export type SlotIndex = 0 | 1;

/**
 * What an update did to a secret, as `secret_rotation_log` calls it: ADOPT adopts the platform's own credential
 * (and, for a password, rotates away from it in the same update), ROTATE fills a slot, ROLLBACK flips back, REVOKE ends
 * the grace period of the previous credential.
 */
export type Action = "ADOPT" | "ROTATE" | "ROLLBACK" | "REVOKE";

/** The last thing that happened to a secret. */
export interface Step {
  /** 1 for the first step of the secret in this stack, then one more each. */
  readonly sequence: number;
  readonly action: Action;
  /** The generation that the step made active, or, for REVOKE, the one it ended. */
  readonly generation: Generation;
  readonly reason: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** The hash of the plan that was carried out; unset for a step of an earlier version, and for REVOKE. */
  readonly plan?: string;
  /** Who had approved it; only if the config asks for approvals. */
  readonly approvedBy?: readonly string[];
}

/**
 * All that a stack remembers of a secret; it holds no value. A stack output, read back by the next update: a field is
 * only ever added, never renamed.
 */
export interface SecretState {
  readonly slots: readonly [Generation, Generation];
  readonly active: SlotIndex;
  /** When the active generation was made, ISO 8601. Its age counts from here. */
  readonly rotatedAt: string;
  /** When each slot was filled, ISO 8601; null for one that is empty. */
  readonly filledAt: readonly [string | null, string | null];
  /** Labels of the supplied keys (Alpaca) by slot; null if the pipeline makes the value itself. */
  readonly labels: readonly [string | null, string | null];
  /** Every label that was ever supplied, so that a key is never taken twice. */
  readonly usedLabels: readonly string[];
  /** The id of the last request that acted. */
  readonly handledRequest?: string;
  /** The request that made the active generation active, if it was a rollback. */
  readonly activatedBy?: string;
  /** Set by a request that could not wait for the market to close; until the next rotation. */
  readonly emergency?: true;
  /** Set by a rotation by age, without a request; until the next rotation or rollback. */
  readonly byAge?: true;
  /** No rotation by age before this time, ISO 8601; set by a rollback. */
  readonly notBefore?: string;
  /** Whether the credential in the slot that is not active can no longer be used. */
  readonly revoked: boolean;
  /** The generation whose key was deleted before its grace period ended; until the next rotation or rollback. */
  readonly endedEarly?: Generation;
  /**
   * The generation whose value is the config's `adopted`, if a request adopted an external write to the store; else 0 (the
   * credential that the platform had before).
   */
  readonly adoptedGeneration?: Generation;
  /**
   * The generation that `adoptedGeneration` was adopted over. The stack keeps its value as long as the adopted one is in
   * its slot, so that a rollback can return to it.
   */
  readonly adoptedOver?: Generation;
  /** Vault's `last_vault_rotation` of the active generation; only for a password that Vault rotates. */
  readonly vaultRotation?: string;
  /** Set by a rotation that this stack had Vault do; until the next one. Unset if Vault did it by itself. */
  readonly forced?: true;
  /**
   * Only if the config limits when rotations run: until when the window is open in which this rotation was decided, ISO 8601,
   * or why it did not wait, in words. Until the next activation.
   */
  readonly window?: { readonly until: string } | { readonly passedOver: string };
  /** Set by an activation whose login is rehearsed from where its readers are; until the next one. */
  readonly rehearses?: true;
  /**
   * Set by an activation of a version that runs steps in place; kept from then on. Earlier versions replaced each step. 2: also
   * restarts and hooks, and the proof of a login gives it the settings of the login in use, which was a step of its own. 3: one
   * step writes all paths of the store, and one marks them.
   */
  readonly inPlace?: true | 2 | 3;
  /**
   * Set by an activation in an update in which an earlier secret acts too: the secret whose preflight looks at every service of
   * the platform. This one's looks at those that it restarts. Until the next activation.
   */
  readonly platformSeenBy?: string;
  /** The first generation whose verifier's salt is derived from names; each of the earlier ones has its own in the stack. */
  readonly derivesSalts?: Generation;
  /** How each slot's password was made, if the config had a rule when it was filled; null for the default. */
  readonly rules?: readonly [PasswordRule | null, PasswordRule | null];
  readonly step: Step;
}

const reaches = ({ inPlace }: SecretState, level: 2 | 3): boolean => Number(inPlace ?? 0) >= level;

/** Whether a login gets its settings where it is proven. */
export const copiesInProof = (state: SecretState): boolean => reaches(state, 2);

/** Set if restarts and hooks run in place. */
export const restartsInPlace = (state: SecretState): SecretState["inPlace"] => (reaches(state, 2) ? 2 : undefined);

/** Whether one step writes all paths of a secret, and one marks them. */
export const writesAtOnce = (state: SecretState): boolean => reaches(state, 3);

export const other = (slot: SlotIndex): SlotIndex => (slot === 0 ? 1 : 0);

export const activeGeneration = (state: Pick<SecretState, "slots" | "active">): Generation => state.slots[state.active];

/** The generation whose value the operator gave: the config's `adopted`. */
export const adoptedGeneration = (state: SecretState): Generation => state.adoptedGeneration ?? 0;

/** One more than every generation so far, so that none ever means two values. */
export const nextGeneration = (state: SecretState): Generation =>
  Math.max(...state.slots, adoptedGeneration(state)) + 1;

/** The generation whose own value the stack keeps for a slot: what was there before a value from outside was adopted. */
export function keptGeneration(state: SecretState, slot: SlotIndex): Generation {
  const generation = state.slots[slot];
  const isAdopted = generation > 0 && generation === adoptedGeneration(state);
  return isAdopted ? (state.adoptedOver ?? generation) : generation;
}

/** The adopted value that a rollback has just left: the store may still hold it, and it is no external write. */
export function leftAdoption(state: SecretState): Generation | undefined {
  const generation = adoptedGeneration(state);
  return state.activatedBy !== undefined && generation > 0 && slotOf(state, generation) === undefined
    ? generation
    : undefined;
}

/** The generation a rollback can return to; undefined if there is none. */
export function previousGeneration(state: SecretState): Generation | undefined {
  const generation = state.slots[other(state.active)];
  return generation === EMPTY ? undefined : generation;
}

/** A copy of a pair with one slot changed. */
export function withSlot<T>(pair: readonly [T, T], slot: SlotIndex, value: T): readonly [T, T] {
  return slot === 0 ? [value, pair[1]] : [pair[0], value];
}

/** The slot that holds a generation, or undefined. */
export function slotOf(state: SecretState, generation: Generation): SlotIndex | undefined {
  if (state.slots[0] === generation) return 0;
  return state.slots[1] === generation ? 1 : undefined;
}

/**
 * The trigger of every acting resource: it changes with each rotation, each rollback and each key that was deleted too
 * early (services may still hold it), and with nothing else. A rollback names its request too, so that after an
 * interrupted update a service that was not yet restarted (its trigger still names the generation returned to) is
 * restarted all the same.
 */
export function activation(state: SecretState): string {
  const generation = String(activeGeneration(state));
  const by = state.activatedBy === undefined ? generation : `${generation} by request ${state.activatedBy}`;
  return state.endedEarly === undefined ? by : `${by}, ${state.endedEarly} deleted early`;
}
