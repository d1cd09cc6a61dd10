import { activation, type SecretState } from "./state";

/** The part of a resource in the stack's state that is read here. */
export interface StateResource {
  readonly type: string;
  readonly outputs?: Readonly<Record<string, unknown>> | undefined;
}

/** The type token of the component that records what an update has begun. */
export const PREFLIGHT_TYPE = "secret-rotation:index:Preflight";

/** The outputs of that component: the state that the update brings the secret to, from the moment its preflight passed. */
export interface BegunOutputs {
  readonly secret: string;
  readonly state: SecretState;
}

/**
 * The state that the last activation of a secret was bringing about, from the moment its preflight passed, whether that
 * update finished or not. Undefined before the first one, and for a stack whose last activation is older than this record.
 *
 * @param resources those of the stack's state; no secret has to be decrypted
 */
export function recordedOf(resources: Iterable<StateResource>, secret: string): SecretState | undefined {
  for (const { type, outputs } of resources) {
    if (type === PREFLIGHT_TYPE && outputs?.secret === secret) return outputs.state as SecretState | undefined;
  }
  return undefined;
}

/** Whether the record belongs to this state's activation; if so, the record stays as it is. */
export const isRecorded = (recorded: SecretState | undefined, state: SecretState): boolean =>
  recorded !== undefined &&
  activation(recorded) === activation(state) &&
  recorded.labels[recorded.active] === state.labels[state.active];

/** What was begun and is not finished: the outputs, `finished`, do not contain it yet. */
export function unfinishedOf(
  finished: SecretState | undefined,
  recorded: SecretState | undefined,
): SecretState | undefined {
  return recorded !== undefined && recorded.step.sequence > (finished?.step.sequence ?? 0) ? recorded : undefined;
}

/**
 * The state that an interrupted update of this secret was bringing about; undefined if every update that passed its
 * preflight has finished. The next update finishes it, or carries out a rollback on top of it.
 *
 * @param resources those of the stack's state, including the stack itself; no secret has to be decrypted
 */
export function begunOf(resources: readonly StateResource[], secret: string): SecretState | undefined {
  const outputs = resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs as
    | { readonly secrets?: Readonly<Record<string, { readonly state?: SecretState } | undefined>> }
    | undefined;
  return unfinishedOf(outputs?.secrets?.[secret]?.state, recordedOf(resources, secret));
}
