import { type Request, RequestRefusedError } from "../../core/request";
import { type Action, activeGeneration, EMPTY, type Generation, type SecretState } from "../../core/state";

/** The input of the next state of short-lived logins; the clock is an argument. */
export interface LeaseInputs {
  readonly now: Date;
  /** The request in the config, if it is for this secret. */
  readonly request?: Request | undefined;
  /** What the logins are made of, as a short text: ttl, owner, statements, services. A change is a new generation. */
  readonly definition: string;
}

/**
 * The state after this update of a secret whose logins Vault makes on demand. A lease ends by itself, so nothing is ever
 * due by age: a generation is one definition of the logins, or one request to fetch all of them anew. There is one slot,
 * since there is no value to go back to.
 *
 * @throws RequestRefusedError for a request that makes no sense with leases.
 */
export function nextLeaseState(previous: SecretState | undefined, inputs: LeaseInputs): SecretState {
  const { request, now, definition } = inputs;
  const fresh = request !== undefined && request.id !== previous?.handledRequest ? request : undefined;
  if (fresh !== undefined) assertRotates(fresh);
  const handled = fresh?.id ?? previous?.handledRequest;
  const common = handled === undefined ? {} : { handledRequest: handled };
  if (previous === undefined) {
    const reason = fresh?.reason ?? "first update of this stack: services move to leases";
    return { ...filled(undefined, 1, "ADOPT", reason, inputs), ...common };
  }
  const next = activeGeneration(previous) + 1;
  if (fresh !== undefined) {
    const rotated = { ...filled(previous, next, "ROTATE", fresh.reason, inputs), ...common };
    return fresh.emergency ? { ...rotated, emergency: true } : rotated;
  }
  if (previous.labels[0] === definition) return previous;
  return {
    ...filled(previous, next, "ROTATE", "the definition of the logins changed", { now, definition }),
    ...common,
  };
}

function filled(
  before: SecretState | undefined,
  generation: Generation,
  action: Action,
  reason: string,
  { now, definition }: LeaseInputs,
): SecretState {
  const at = now.toISOString();
  return {
    slots: [generation, EMPTY],
    active: 0,
    rotatedAt: at,
    filledAt: [at, null],
    labels: [definition, null],
    usedLabels: [],
    revoked: true,
    step: { sequence: (before?.step.sequence ?? 0) + 1, action, generation, reason, at },
  };
}

function assertRotates({ id, secret, rotate, activate, force }: Request): void {
  const why =
    rotate === undefined
      ? `${secret} is made by Vault for a short time (vault-dynamic): a lease that has ended cannot be ` +
        `${activate === undefined ? "adopted" : "brought back, so there is no generation to return to"}. ` +
        "To have every service fetch a new login: `rotate: true`"
      : force
        ? `${secret} is in no store (vault-dynamic), so there is no external write to overwrite: leave \`force\` out`
        : undefined;
  if (why !== undefined) throw new RequestRefusedError(`request ${id}: ${why}; nothing was changed.`);
}
