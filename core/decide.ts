import { unfinishedOf } from "./begun";
import { type Opening, openingAt } from "./calendar";
import { type Plan, planOf } from "./plan";
import type { Policy } from "./policy";
import type { Request } from "./request";
import { type Base, type Resolved, resolve } from "./resume";
import { activation, EMPTY, nextGeneration, type SecretState } from "./state";
import { type Closed, closedAt, waitsText } from "./waiting";
import { without } from "./without";

/**
 * What the preflight checks, by mode: a rollback and a repair must work while services are down and the market is open, an
 * adoption that moves nothing restarts no service, and an emergency does not wait for the market.
 */
export const PREFLIGHT_MODES = ["adoption", "rotation", "emergency", "rollback", "repair"] as const;

export type PreflightMode = (typeof PREFLIGHT_MODES)[number];

/** The context of a decision if nothing is unfinished. */
export interface Situation extends Omit<Base, "previous"> {
  readonly now: Date;
  readonly policy: Policy;
  /** Whether what may wait for the calendar waits: a rotation by age or of a new key. */
  readonly hold: boolean;
}

/** What only a secret's kind decides. Pure. */
export interface Rules {
  /**
   * The state after this update.
   *
   * @throws RequestRefusedError for a request that cannot be carried out
   */
  readonly next: (previous: SecretState | undefined, situation: Situation) => SecretState;
  /** What the preflight of a state's activation checks. */
  readonly modeOf: (state: SecretState) => PreflightMode;
  /** Whether what was begun can still be finished. */
  readonly canFinish: (begun: SecretState) => boolean;
}

export interface DecideInputs {
  readonly secret: string;
  readonly now: Date;
  readonly policy: Policy;
  /** The request in the config, if it is for this secret. */
  readonly request: Request | undefined;
  /** The state as the last finished update left it: the stack's outputs. */
  readonly finished: SecretState | undefined;
  /** What the last activation was to bring about (`recordedOf`). */
  readonly recorded: SecretState | undefined;
  readonly rules: Rules;
}

/** What an update does to one secret, and why. Everything that reports it or carries it out reads this. */
export interface Decision extends Plan {
  /** The state that the update brings the secret to. */
  readonly state: SecretState;
  readonly finished: SecretState | undefined;
  /** What an interrupted update had begun; undefined if nothing is unfinished. */
  readonly begun: SecretState | undefined;
  readonly mode: PreflightMode;
  /** Whether a request says to overwrite an external write. Only in the update that handles the request. */
  readonly force: boolean;
}

/**
 * The one decision on a secret. Pure: the clock is among the inputs.
 *
 * @throws RequestRefusedError for a request that cannot be carried out; nothing was changed
 */
export function decide(inputs: DecideInputs): Decision {
  const { secret, finished, request, now, policy, rules } = inputs;
  const recorded = isFinishable(inputs) ? inputs.recorded : undefined;
  const attempt = (hold: boolean) =>
    resolve({ finished, recorded, request, now }, ({ previous, ...base }) =>
      inPlace(previous, rules.next(previous, { now, policy, hold, ...base })),
    );
  const { resolved, ...windowed } = inWindow(inputs, attempt);
  const { state } = resolved;
  return {
    ...planOf(secret, finished, resolved, windowed),
    state,
    finished,
    begun: unfinishedOf(finished, recorded),
    mode: rules.modeOf(state),
    force: request?.force === true && request.id !== finished?.handledRequest,
  };
}

/** A stack of an earlier version goes on as it is until the next activation, so its preview shows no change before. */
function inPlace(previous: SecretState | undefined, next: SecretState): SecretState {
  if (previous !== undefined && activation(previous) === activation(next)) return next;
  const derivesSalts = previous === undefined ? EMPTY : (previous.derivesSalts ?? nextGeneration(previous));
  return { ...next, inPlace: 3, derivesSalts };
}

/** What is decided, and what it waits for, in words. */
interface Windowed {
  readonly resolved: Resolved;
  readonly waits?: string;
  /** Set if it finishes what was begun although the calendar is closed: in words. */
  readonly outside?: string;
}

/**
 * The decision that the calendar allows. A rotation that waiting would prevent is scheduled: it waits until there is an
 * opening with enough time left. Anything else does not wait: a request is an operator's own decision, and what is half
 * done, or done by Vault already, must be finished. The state then says that it did not wait.
 */
function inWindow({ policy, now, finished }: DecideInputs, attempt: (hold: boolean) => Resolved): Windowed {
  const { calendar } = policy;
  const free = attempt(false);
  if (calendar === undefined) return { resolved: free };
  const opening = openingAt(calendar, now.getTime());
  const closed = opening === undefined ? closedAt(calendar, now.getTime()) : undefined;
  if (free.resumes) return { resolved: free, ...(closed === undefined ? {} : { outside: closed.state }) };
  const held = attempt(true);
  const [freely, holding] = [free.state.step, held.state.step];
  const isScheduled = freely.sequence !== holding.sequence || freely.action !== holding.action;
  if (isScheduled && closed !== undefined) return { resolved: held, waits: waitsText(closed) };
  const acts = freely.sequence !== finished?.step.sequence;
  if (!acts || freely.action === "REVOKE") return { resolved: free };
  return { resolved: { ...free, state: marked(free.state, isScheduled ? opening : undefined, closed) } };
}

/** A new state with the window in which it was decided, or why it did not wait for one. */
function marked(state: SecretState, opening: Opening | undefined, closed: Closed | undefined): SecretState {
  const bare: SecretState = without(state, "window");
  if (opening !== undefined) return { ...bare, window: { until: new Date(opening.end).toISOString() } };
  const passesOver = closed !== undefined && (state.step.action === "ROTATE" || state.step.action === "ADOPT");
  return passesOver ? { ...bare, window: { passedOver: `${closed.state} (${closed.opens})` } } : bare;
}

/** Whether what was begun can be finished. A rollback starts from it in any case. */
function isFinishable({ finished, recorded, request, rules }: DecideInputs): boolean {
  const begun = unfinishedOf(finished, recorded);
  return begun === undefined || request?.activate !== undefined || rules.canFinish(begun);
}

/** What the preflight of a state's activation checks, for any kind of secret. */
export function modeOf(state: SecretState): PreflightMode {
  if (state.activatedBy !== undefined) return "rollback";
  return state.emergency ? "emergency" : "rotation";
}
