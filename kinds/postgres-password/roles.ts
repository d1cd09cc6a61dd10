import { activeGeneration, other, type SecretState, type SlotIndex } from "../../core/state";
import { usernamePathOf } from "./schema";

/** The login role of a slot, for alternating users. */
export const slotRole = (owner: string, slot: SlotIndex) => `${owner}_${slot === 0 ? "a" : "b"}`;

/** The role that a state's active credential logs in with. */
export function activeUsername(
  strategy: "single-user" | "alternating-users",
  role: string,
  state: Pick<SecretState, "slots" | "active">,
): string {
  const own = strategy === "single-user" || activeGeneration(state) === 0;
  return own ? role : slotRole(role, state.active);
}

/** The roles of a rotation: those in use before and after it, and ours. */
export interface RotatedLogins {
  readonly owner: string;
  readonly from: string;
  readonly to: string;
  readonly ours: readonly string[];
  /** Whether the platform's own role was in use before: then login roles of ours may be new. */
  readonly adopting: boolean;
}

/** @param state the secret's state after the rotation. */
export function rotatedLogins(
  strategy: "single-user" | "alternating-users",
  owner: string,
  state: Pick<SecretState, "slots" | "active">,
): RotatedLogins {
  if (strategy === "single-user") return { owner, from: owner, to: owner, ours: [], adopting: false };
  const before = other(state.active);
  const adopting = state.slots[before] <= 0;
  return {
    owner,
    adopting,
    from: adopting ? owner : slotRole(owner, before),
    to: activeUsername(strategy, owner, state),
    ours: [slotRole(owner, 0), slotRole(owner, 1)],
  };
}

/** Whether the login role of a slot can log in: always in use, and through the grace period after that. */
export function slotMayLogin(state: SecretState, slot: SlotIndex): boolean {
  return state.slots[slot] > 0 && (slot === state.active || !state.revoked);
}

/** Whether the platform's own role can still log in: as long as it is a generation that may be used. */
export function ownerMayLogin(state: SecretState): boolean {
  return state.slots[0] === 0 && (state.active === 0 || !state.revoked);
}

/**
 * The logins that a pooler's user list loses. The platform's own role stays in it as long as a rollback may return to it:
 * nobody but the server has its verifier.
 */
export const endedLogins = (
  strategy: "single-user" | "alternating-users",
  owner: string,
  state: SecretState,
): string[] =>
  strategy === "single-user"
    ? []
    : [
        ...([0, 1] as const).flatMap((slot) => (slotMayLogin(state, slot) ? [] : [slotRole(owner, slot)])),
        ...(state.slots[0] === 0 ? [] : [owner]),
      ];

/**
 * The user names that the store may hold without an external write: the platform's own role, and the login roles, which an
 * earlier life of the secret in this stack may have left there. Empty for a single user, which the store does not name, and
 * for a document, which has the password beside the name.
 */
export const ownUsernames = (secret: {
  readonly name: string;
  readonly usernamePath?: string | undefined;
  readonly role: string;
  readonly strategy: "single-user" | "alternating-users";
  readonly format?: "value" | "json" | "both" | undefined;
}): { readonly path: string; readonly value: string; readonly public: true }[] =>
  secret.strategy === "single-user" || secret.format === "json"
    ? []
    : [secret.role, slotRole(secret.role, 0), slotRole(secret.role, 1)].map((value) => ({
        path: usernamePathOf(secret),
        value,
        public: true,
      }));
