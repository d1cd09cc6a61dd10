import { dueFrom } from "../../core/deadlines";
import type { Policy } from "../../core/policy";
import { type Request, RequestRefusedError } from "../../core/request";
import { activeGeneration, EMPTY, type SecretState, type Step } from "../../core/state";
import { without } from "../../core/without";

/** The input of the next state of a password that Vault rotates; the clock is an argument. */
export interface VaultInputs {
  readonly now: Date;
  readonly policy: Policy;
  /** The request in the config, if it is for this secret. */
  readonly request?: Request | undefined;
  /** Vault's `last_vault_rotation` as it is now; undefined if Vault has no such role yet. */
  readonly rotation?: string | undefined;
  /** Whether a rotation by age waits for the calendar. What Vault has done never waits. Default false. */
  readonly hold?: boolean | undefined;
}

/**
 * The state after this update of a password that Vault rotates by itself. A generation is one rotation that services were
 * restarted for, however many Vault did in between; only the last password is known. The other slot stays empty: Vault
 * keeps no earlier password.
 *
 * In order of precedence: a request not yet handled, a rotation by Vault since then, the age.
 *
 * @throws RequestRefusedError for a rollback or an adoption
 */
export function nextVaultState(previous: SecretState | undefined, inputs: VaultInputs): SecretState {
  const { now, policy, request, rotation } = inputs;
  const unhandled = request !== undefined && request.id !== previous?.handledRequest ? request : undefined;
  if (unhandled !== undefined) assertRotation(unhandled);
  if (previous === undefined) return firstState(now, unhandled);
  if (unhandled !== undefined) {
    const next = {
      ...rotated(previous, inputs, unhandled.reason),
      forced: true as const,
      handledRequest: unhandled.id,
    };
    return unhandled.emergency ? { ...next, emergency: true } : next;
  }
  if (rotation !== undefined && isNewer(rotation, previous.vaultRotation)) {
    const at = Math.min(now.getTime(), Date.parse(rotation));
    return { ...rotated(previous, inputs, `rotated by Vault at ${rotation}`), rotatedAt: new Date(at).toISOString() };
  }
  if (!inputs.hold && now >= dueFrom(previous, policy)) {
    return { ...rotated(previous, inputs, "due by age: Vault has not rotated it"), forced: true, byAge: true };
  }
  return previous;
}

/** Whether Vault rotated after the known rotation; both are its own times. */
export const isNewer = (rotation: string, known: string | undefined): boolean =>
  known === undefined || Date.parse(rotation) > Date.parse(known);

function firstState(now: Date, request: Request | undefined): SecretState {
  const at = now.toISOString();
  return {
    slots: [1, EMPTY],
    active: 0,
    rotatedAt: at,
    filledAt: [at, null],
    labels: [null, null],
    usedLabels: [],
    revoked: true,
    ...(request === undefined ? {} : { handledRequest: request.id }),
    step: { sequence: 1, action: "ADOPT", generation: 1, reason: request?.reason ?? "first update of this stack", at },
  };
}

function rotated(state: SecretState, { now }: VaultInputs, reason: string): SecretState {
  const kept = without(state, "forced", "emergency", "byAge");
  const generation = activeGeneration(state) + 1;
  const at = now.toISOString();
  const step: Step = { sequence: state.step.sequence + 1, action: "ROTATE", generation, reason, at };
  return { ...kept, slots: [generation, EMPTY], rotatedAt: at, filledAt: [at, null], step };
}

function assertRotation({ id, secret, activate, adopt }: Request): void {
  if (activate !== undefined) {
    throw new RequestRefusedError(
      `request ${id}: ${secret} cannot go back to generation ${activate}: Vault rotates it and keeps no earlier password. ` +
        `If the password in use is refused or leaked, \`rotation rotate-now ${secret} --reason "..."\` has Vault make another ` +
        "and restarts the services; if a service holds an old one, restart that service. Remove the config key `request`; " +
        "nothing was changed.",
    );
  }
  if (adopt) {
    throw new RequestRefusedError(
      `request ${id}: Vault makes the value of ${secret}, so there is none to adopt. Remove the config key \`request\`; ` +
        "nothing was changed.",
    );
  }
}
