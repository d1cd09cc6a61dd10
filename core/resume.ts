import { unfinishedOf } from "./begun";
import type { Request } from "./request";
import { activeGeneration, type SecretState } from "./state";

/** Where an update of a secret starts from. */
export interface Start {
  /** The state as the last finished update left it: the stack's outputs. */
  readonly finished: SecretState | undefined;
  /** What the last activation was to bring about (`recordedOf`); undefined where the stack's state does not say. */
  readonly recorded: SecretState | undefined;
  /** The request in the config, if it is for this secret. */
  readonly request: Request | undefined;
  readonly now: Date;
}

/** What an update makes of it. */
export interface Resolved {
  readonly state: SecretState;
  /** Whether it goes on with what an interrupted update had begun. */
  readonly resumes: boolean;
  /** A request that this update does not carry out, since something begun has to be finished first: the next one does. */
  readonly deferred?: Request;
}

/** What a decision on a secret without anything unfinished is told. */
export interface Base {
  readonly previous: SecretState | undefined;
  readonly request: Request | undefined;
  /** Whether `previous` is what an interrupted update had begun, and not the outputs. */
  readonly begun: boolean;
  /** Whether the state says for sure what was begun: where it does not, the outputs may not have heard of an update. */
  readonly certain: boolean;
}

/**
 * Whether finishing what was begun is what a request asks for: the same generation, or a rotation where one was begun. A
 * leak is another matter: it may be of the very value that was begun, unless that was for a leak as well.
 */
function answers(begun: SecretState, { activate, rotate, emergency }: Request): boolean {
  if (activate !== undefined) return activate === activeGeneration(begun);
  if (!rotate || (begun.step.action !== "ROTATE" && begun.step.action !== "ADOPT")) return false;
  return !emergency || begun.emergency === true;
}

/**
 * What was begun, finished now: the grace period of the previous credential and the wait after a rollback begin when
 * services have changed over. The credential's own age counts on.
 */
function movedTo(begun: SecretState, now: Date): SecretState {
  const { step, notBefore } = begun;
  const at = now.toISOString();
  const moved = { ...begun, step: { ...step, at } };
  if (notBefore === undefined || step.action !== "ROLLBACK") return moved;
  const waits = Date.parse(notBefore) - Date.parse(step.at);
  return { ...moved, notBefore: new Date(now.getTime() + waits).toISOString() };
}

/**
 * The state after this update of a secret. What an interrupted update had begun is finished first, whatever age, keys or
 * config say by then; only a rollback or an adoption is carried out instead, on top of what was begun, so that no value
 * that may be in use is lost. A request for what was begun is answered by finishing it; any other rotation acts in the
 * update after.
 *
 * @param next the decision where nothing is unfinished
 * @throws RequestRefusedError as `next` does
 */
export function resolve({ finished, recorded, request, now }: Start, next: (base: Base) => SecretState): Resolved {
  const certain = recorded !== undefined;
  const begun = unfinishedOf(finished, recorded);
  if (begun === undefined) {
    return { state: next({ previous: finished, request, begun: false, certain }), resumes: false };
  }
  const isHandled = request === undefined || [begun.handledRequest, finished?.handledRequest].includes(request.id);
  const state = movedTo(begun, now);
  if (isHandled) return { state, resumes: true };
  if (answers(begun, request)) return { state: { ...state, handledRequest: request.id }, resumes: true };
  if (request.rotate) return { state, resumes: true, deferred: request };
  return { state: next({ previous: begun, request, begun: true, certain }), resumes: false };
}
