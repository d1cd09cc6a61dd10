import { unfinishedOf } from "./begun";
import type { Request } from "./request";
import { activeGeneration, type SecretState } from "./state";

/** The starting point of an update of a secret. */
export interface Start {
  /** The state as the last finished update left it: the stack's outputs. */
  readonly finished: SecretState | undefined;
  /** The target of the last activation (`recordedOf`); undefined if the stack's state does not say. */
  readonly recorded: SecretState | undefined;
  /** The request in the config, if it is for this secret. */
  readonly request: Request | undefined;
  readonly now: Date;
}

/** What an update makes of it. */
export interface Resolved {
  readonly state: SecretState;
  /** Whether it continues what an interrupted update had begun. */
  readonly resumes: boolean;
  /** A request that is left to the next update, since something begun has to be finished first. */
  readonly deferred?: Request;
}

/** The input of a decision on a secret with nothing unfinished. */
export interface Base {
  readonly previous: SecretState | undefined;
  readonly request: Request | undefined;
  /** Whether `previous` is what an interrupted update had begun, and not the outputs. */
  readonly begun: boolean;
  /** Whether the state says for sure what was begun: otherwise the outputs may lack an update. */
  readonly certain: boolean;
}

/**
 * Whether finishing what was begun fulfils a request: the same generation, or a rotation if one was begun. Not so for a
 * leak: the leaked value may be the one that was begun, unless that was for a leak as well.
 */
function answers(begun: SecretState, { activate, rotate, emergency }: Request): boolean {
  if (activate !== undefined) return activate === activeGeneration(begun);
  if (!rotate || (begun.step.action !== "ROTATE" && begun.step.action !== "ADOPT")) return false;
  return !emergency || begun.emergency === true;
}

/**
 * What was begun, finished now: the grace period of the previous credential and the wait after a rollback begin when
 * services have changed over. The credential's own age is kept.
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
 * config say now; only a rollback or an adoption is carried out instead, on top of what was begun, so that no value
 * that may be in use is lost. A request for what was begun is answered by finishing it; any other rotation acts in the
 * update after.
 *
 * @param next the decision if nothing is unfinished
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
