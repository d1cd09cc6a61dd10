import { slugOf } from "../core/resource-names";
import { activation, type SecretState } from "../rotation/state";
import { nameOf } from "./engine-names";

interface Resource {
  readonly urn: string;
  readonly type: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
}

/**
 * Whether an update passed this secret's preflight and then died: the state knows of an activation that the outputs do
 * not. What it began must be finished or rolled back; a preflight now would meet its half-written store.
 */
export function isHalfDone(resources: readonly Resource[], secret: string, state: SecretState | undefined): boolean {
  const checks = resources.find(
    ({ urn, type }) => type === "command:local:Command" && nameOf(urn) === `${slugOf(secret)}-preflight-checks`,
  );
  const triggers = checks?.inputs?.triggers;
  if (!Array.isArray(triggers)) return false;
  return state === undefined || triggers[0] !== activation(state);
}

/** The state that an update has begun to bring about and not finished; undefined where nothing is begun. */
export function begunOf(
  resources: readonly (Resource & { readonly outputs?: Readonly<Record<string, unknown>> })[],
  secret: string,
): SecretState | undefined {
  const stack = resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs as
    | { secrets?: Record<string, { state?: SecretState }> }
    | undefined;
  const begun = resources.find(
    ({ type, outputs }) => type === "secret-rotation:index:Preflight" && outputs?.secret === secret,
  )?.outputs?.state as SecretState | undefined;
  const finished = stack?.secrets?.[secret]?.state;
  return begun !== undefined && begun.step.sequence > (finished?.step.sequence ?? 0) ? begun : undefined;
}
