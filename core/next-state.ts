import { dueFrom, graceEndsAt, graceIsOver, graceLimitAt } from "./deadlines";
import { heldBy, type UseSeen, unusedWords } from "./disuse";
import type { PasswordRule } from "./password-rule";
import type { Policy } from "./policy";
import { assertRestorable, type Request, RequestRefusedError } from "./request";
import {
  type Action,
  activeGeneration,
  adoptedGeneration,
  EMPTY,
  type Generation,
  keptGeneration,
  nextGeneration,
  other,
  previousGeneration,
  type SecretState,
  type SlotIndex,
  slotOf,
  withSlot,
} from "./state";
import { type SupplyWords, supplyWords } from "./supply-words";
import { without } from "./without";

/** Everything a decision rests on; the clock is an argument. The use of a login is seen only if this stack revokes it. */
export interface Inputs extends UseSeen {
  readonly now: Date;
  readonly policy: Policy;
  /** The request in the config, if it is for this secret. */
  readonly request?: Request | undefined;
  /** Whether the value of generation 0 is known, so that a rollback can return to it. */
  readonly hasAdopted: boolean;
  /** Whether two credentials can be valid at once. Default true; false if a new password ends the old one. */
  readonly overlaps?: boolean | undefined;
  /** The label of the key that the operator supplied; only for secrets whose values the pipeline cannot make. */
  readonly suppliedKeyLabel?: string | undefined;
  /** How a new key is supplied; only with a `suppliedKeyLabel`. */
  readonly supply?: SupplyWords | undefined;
  /** The label of the key that the platform had before this stack, if it is not the supplied one. */
  readonly adoptedKeyLabel?: string | undefined;
  /** When the credential that the first update adopts was made, if known. */
  readonly adoptedSince?: Date | undefined;
  /** Whether `previous` is what an interrupted update had begun, and not what a finished one left. Default false. */
  readonly begun?: boolean | undefined;
  /** Whether `previous` certainly includes every update that changed something. Default false. */
  readonly certain?: boolean | undefined;
  /** Whether the previous credential is ended outside of this program and that was observed (its issuer refuses it). */
  readonly previousGone?: boolean | undefined;
  /** How a slot that is filled now makes its password, if the config has a rule. */
  readonly rule?: PasswordRule | undefined;
  /** Whether a rotation by age or of a new key waits for the calendar. Default false. */
  readonly hold?: boolean | undefined;
}

/**
 * The state after this update: at most one step after `previous`, however long ago the last update was.
 *
 * In order of precedence: a request not yet handled, a newly supplied key, the age, the end of the grace period.
 *
 * @throws RequestRefusedError for a request that cannot be carried out.
 */
export function nextState(previous: SecretState | undefined, inputs: Inputs): SecretState {
  if (previous === undefined) return firstState(inputs);
  const { request } = inputs;
  if (request !== undefined && request.id !== previous.handledRequest) return handle(previous, request, inputs);
  if (!inputs.hold && newLabel(previous, inputs) !== undefined) {
    return rotated(previous, inputs, `new key ${inputs.suppliedKeyLabel}`);
  }
  if (!inputs.hold && inputs.suppliedKeyLabel === undefined && isDue(previous, inputs)) {
    return { ...rotated(previous, inputs, "due by age"), byAge: true };
  }
  return mayRevoke(previous, inputs) ? revoked(previous, inputs) : previous;
}

function isDue(state: SecretState, { now, policy }: Inputs): boolean {
  return now >= dueFrom(state, policy);
}

function mayRevoke(state: SecretState, inputs: Inputs): boolean {
  const { now, policy, suppliedKeyLabel, previousGone } = inputs;
  if (state.revoked || previousGeneration(state) === undefined) return false;
  if (suppliedKeyLabel !== undefined) return previousGone === true;
  return graceIsOver(state, policy, now) && (heldBy(inputs, policy, now) === "" || now >= graceLimitAt(state, policy));
}

/** The supplied label if it was never seen before. @throws RequestRefusedError for one that was used before. */
function newLabel(state: SecretState, inputs: Inputs): string | undefined {
  const { suppliedKeyLabel: label } = inputs;
  if (label === undefined || state.labels.includes(label)) return undefined;
  if (state.usedLabels.includes(label)) {
    const { make, command } = supplyWords(inputs);
    throw new RequestRefusedError(
      `the key label ${label} was used before; expected one that is new. ${make} and supply it with ` +
        `\`${command}\`; nothing was changed.`,
    );
  }
  return label;
}

function firstState(inputs: Inputs): SecretState {
  const { now, request, suppliedKeyLabel, adoptedKeyLabel, adoptedSince = now } = inputs;
  const at = now.toISOString();
  const since = new Date(Math.min(now.getTime(), adoptedSince.getTime())).toISOString();
  const suppliedIsAdopted =
    suppliedKeyLabel !== undefined && (adoptedKeyLabel ?? suppliedKeyLabel) === suppliedKeyLabel;
  const first: SecretState = {
    slots: suppliedIsAdopted ? [0, EMPTY] : [0, 1],
    active: suppliedIsAdopted ? 0 : 1,
    rotatedAt: suppliedIsAdopted ? since : at,
    filledAt: [since, suppliedIsAdopted ? null : at],
    labels: suppliedIsAdopted ? [suppliedKeyLabel, null] : [adoptedKeyLabel ?? null, suppliedKeyLabel ?? null],
    usedLabels: [adoptedKeyLabel, suppliedKeyLabel].filter(
      (label, i, all) => label !== undefined && all.indexOf(label) === i,
    ) as string[],
    revoked: inputs.overlaps === false,
    ...rulesWith(undefined, 1, inputs.rule),
    step: {
      sequence: 1,
      action: "ADOPT",
      generation: suppliedIsAdopted ? 0 : 1,
      reason: "first update of this stack",
      at,
    },
  };
  if (request === undefined) return first;
  if (request.activate !== undefined && request.activate !== activeGeneration(first)) {
    // The first update was interrupted and the operator wants the platform's own credential back.
    assertRestorable(request, request.activate, first, inputs.hasAdopted);
    return {
      ...activated(first, request.activate, request, inputs),
      step: step(undefined, "ROLLBACK", request.activate, request.reason, now),
    };
  }
  const asked = { ...first, handledRequest: request.id, step: { ...first.step, reason: request.reason } };
  return request.emergency && !suppliedIsAdopted ? leaked(asked, inputs) : asked;
}

/** A leaked credential has no grace period; one that an operator keeps (a supplied key) ends on their side. */
const leaked = (state: SecretState, { suppliedKeyLabel }: Inputs): SecretState => ({
  ...state,
  emergency: true,
  revoked: state.revoked || suppliedKeyLabel === undefined,
});

function handle(state: SecretState, request: Request, inputs: Inputs): SecretState {
  if (request.activate !== undefined) {
    assertRestorable(request, request.activate, state, inputs.hasAdopted);
    return activated(abandonHalfDone(state, request.activate, inputs), request.activate, request, inputs);
  }
  if (request.adopt) return adopted(state, request, inputs);
  if (inputs.suppliedKeyLabel !== undefined && newLabel(state, inputs) === undefined) {
    throw new RequestRefusedError(
      `request ${request.id}: ${request.secret} cannot rotate without a new key, and the one in the config ` +
        `(${inputs.suppliedKeyLabel}) is in use already. Supply a new one with \`${supplyWords(inputs).command}\`; nothing was changed.`,
    );
  }
  const next = { ...rotated(state, inputs, request.reason), handledRequest: request.id };
  return request.emergency ? leaked(next, inputs) : next;
}

/**
 * The value of an external write, as a generation of its own in the slot in use: the previous value is no longer in use.
 * Its age stays: an external write never resets the clock.
 */
function adopted(state: SecretState, request: Request, inputs: Inputs): SecretState {
  assertAdoptable(request, state, inputs);
  const before = adoptedGeneration(state);
  const generation = nextGeneration(state);
  const slots = withSlot<Generation>(state.slots, state.active, generation);
  const rest = other(state.active);
  const adoptedOver = activeGeneration(state) === before ? state.adoptedOver : activeGeneration(state);
  return {
    ...without(state, "activatedBy", "emergency", "endedEarly", "byAge"),
    slots: slots[rest] === before ? withSlot<Generation>(slots, rest, underneath(state, rest)) : slots,
    adoptedGeneration: generation,
    ...(adoptedOver === undefined ? {} : { adoptedOver }),
    handledRequest: request.id,
    step: step(state, "ADOPT", generation, request.reason, inputs.now),
  };
}

/** The config holds one adopted value: of the previous one only the value beneath it is known, if that was kept. */
function underneath(state: SecretState, slot: SlotIndex): Generation {
  const kept = keptGeneration(state, slot);
  return kept === state.slots[slot] ? EMPTY : kept;
}

function assertAdoptable(request: Request, state: SecretState, inputs: Inputs): void {
  const refuse = (why: string) => new RequestRefusedError(`request ${request.id}: ${why}; nothing was changed.`);
  const { secret } = request;
  if (inputs.suppliedKeyLabel !== undefined) {
    const { noun, one, command } = supplyWords(inputs);
    throw refuse(`${secret} is a ${noun}: supply the ${one} in the store with \`${command}\` instead`);
  }
  if (!inputs.hasAdopted) {
    throw refuse(`give the value first: \`pulumi config set --secret --path 'adopted["${secret}"]'\``);
  }
  // An adoption that failed may be repeated with a corrected value.
  if (activeGeneration(state) === adoptedGeneration(state) && !inputs.begun) {
    throw refuse(
      `generation ${activeGeneration(state)} of ${secret}, which is in use, is the config's \`adopted\` already: ` +
        `correct adopted["${secret}"] and remove the request`,
    );
  }
}

/**
 * A rollback to the generation that is already active means that an update was interrupted: the outputs do not contain
 * the generation that it left in the other slot. That slot is given the number it has on the platform, so that the
 * state is the same as after an update that finished: two values never share a generation.
 */
function abandonHalfDone(state: SecretState, target: Generation, inputs: Inputs): SecretState {
  const suppliedAndOld = inputs.suppliedKeyLabel !== undefined && newLabel(state, inputs) === undefined;
  if (target !== activeGeneration(state) || suppliedAndOld || inputs.certain) return state;
  return { ...filled(state, inputs), active: state.active };
}

/** The other slot filled with the next generation and made active. */
function filled(state: SecretState, { now, suppliedKeyLabel, rule }: Inputs): SecretState {
  const slot = other(state.active);
  const at = now.toISOString();
  return {
    ...state,
    slots: withSlot<Generation>(state.slots, slot, nextGeneration(state)),
    active: slot,
    filledAt: withSlot<string | null>(state.filledAt, slot, at),
    labels: withSlot<string | null>(state.labels, slot, suppliedKeyLabel ?? null),
    ...rulesWith(state.rules, slot, rule),
    usedLabels:
      suppliedKeyLabel === undefined ? state.usedLabels : [...new Set([...state.usedLabels, suppliedKeyLabel])],
  };
}

/** Only if there is a rule, so that the outputs of other secrets stay unchanged. */
function rulesWith(rules: SecretState["rules"], slot: SlotIndex, rule: PasswordRule | undefined) {
  if (rules === undefined && rule === undefined) return {};
  return { rules: withSlot<PasswordRule | null>(rules ?? [null, null], slot, rule ?? null) };
}

function rotated(state: SecretState, inputs: Inputs, reason: string): SecretState {
  const over = ["activatedBy", "notBefore", "emergency", "endedEarly", "byAge"] as const;
  const next = without(filled(state, inputs), ...over);
  return {
    ...next,
    rotatedAt: inputs.now.toISOString(),
    revoked: inputs.overlaps === false,
    step: step(state, "ROTATE", activeGeneration(next), reason, inputs.now),
  };
}

function activated(state: SecretState, target: Generation, request: Request, inputs: Inputs): SecretState {
  const { now, policy } = inputs;
  const over = slotOf(state, target) === undefined;
  const active = over ? (slotOf(state, adoptedGeneration(state)) as SlotIndex) : (slotOf(state, target) as SlotIndex);
  return {
    ...without(state, "endedEarly", "byAge", "adoptedOver"),
    ...(over ? { slots: withSlot<Generation>(state.slots, active, target) } : {}),
    ...(over || state.adoptedOver === undefined ? {} : { adoptedOver: state.adoptedOver }),
    active,
    rotatedAt: state.filledAt[active] ?? now.toISOString(),
    handledRequest: request.id,
    activatedBy: request.id,
    notBefore: new Date(now.getTime() + policy.retryAfter).toISOString(),
    revoked: inputs.overlaps === false,
    step: step(state, "ROLLBACK", target, request.reason, now),
  };
}

function revoked(state: SecretState, inputs: Inputs): SecretState {
  const { now, policy } = inputs;
  const ended = previousGeneration(state) as Generation;
  const graceEnd = graceEndsAt(state, policy);
  const end = (reason: string) => ({ ...state, revoked: true, step: step(state, "REVOKE", ended, reason, now) });
  if (now >= graceEnd) {
    const held = heldBy(inputs, policy, now);
    return end(held === "" ? unusedWords(inputs, policy) : `gracePeriodMax over; still in use by ${held}`);
  }
  // A key that a rollback left, or that leaked, is to be deleted at once: its end is never too early.
  if (state.activatedBy !== undefined) return end("deleted after the rollback");
  if (state.emergency) return end("deleted after the emergency rotation");
  const reason =
    `the key ${state.labels[other(state.active)]} was deleted before its grace period ended ` +
    `(${graceEnd.toISOString()}): every service that reads the pair is restarted`;
  return { ...end(reason), endedEarly: ended };
}

function step(before: SecretState | undefined, action: Action, generation: Generation, reason: string, now: Date) {
  return { sequence: (before?.step.sequence ?? 0) + 1, action, generation, reason, at: now.toISOString() };
}
