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
