import { PHASES, type Phase } from "../../core/phases";
import { restartOf, secretOf } from "../../core/resource-names";
import { phaseOf } from "../../kinds/phases";
import { causeIn, withoutCommandLine } from "./cause";
import type { EngineResult, Step } from "./engine";
import type { Outline } from "./settings";

/** What stopped an update. What holds on the platform now is in `situation.ts`. */
export interface Failure {
  /** The secret whose part failed; undefined if it failed before or outside of any. */
  readonly secret: string | undefined;
  readonly phase: Phase | undefined;
  readonly resource: string | undefined;
  /** The cause, in one line. */
  readonly reason: string;
  /** All messages. */
  readonly detail: string;
}

/**
 * Where and why an update stopped, from the engine's messages.
 *
 * @param by the signal that interrupted it, if known.
 */
export function failureOf(
  result: EngineResult,
  { secrets, services }: Pick<Outline, "secrets" | "services">,
  by?: string,
): Failure {
  const { errors, interrupted } = result;
  const detail = errors.map(({ text }) => withoutCommandLine(text)).join("\n");
  const step = result.failedStep ?? furthest(result);
  const resource = step?.name ?? errors.find(({ resource: name }) => name !== undefined)?.resource;
  const secret = secretOf(
    resource ?? "",
    secrets.map(({ name }) => name),
  );
  const restart = secret === undefined ? undefined : restartOf(resource ?? "", secret, services);
  const own = errors.filter((error) => error.resource !== undefined && error.resource === result.failedStep?.name);
  // A restart command's output comes before our own line about the service.
  const said = causeIn((own.length > 0 ? own : errors).map(({ text }) => text).join("\n"), restart?.service);
  const at = resource === undefined ? "" : ` at ${resource}`;
  const interruption = `interrupted${by === undefined ? "" : ` by ${by}`}${at}`;
  return {
    secret,
    phase: step === undefined ? undefined : phaseOf(step),
    resource,
    reason: interrupted ? interruption : (said ?? `the engine ended${at} and gave no reason`),
    detail: [
      interrupted ? `The update was ${interruption}.` : "",
      detail || (interrupted ? "" : `The engine ended${at} and gave no reason.`),
    ]
      .filter((text) => text !== "")
      .join("\n"),
  };
}

/** The furthest step, as secrets rotate at the same time. No step fails if only the state could not be saved. */
function furthest({ steps }: EngineResult): Step | undefined {
  const rank = (step: Step) => PHASES.indexOf(phaseOf(step) ?? "preflight");
  return steps
    .filter((step) => step.op !== "same" && phaseOf(step) !== undefined)
    .toSorted((a, b) => rank(a) - rank(b))
    .at(-1);
}

/** Whether the engine could not save the state, as on a full disk: the state lacks what was done last. */
export const isUnsaved = ({ detail }: Pick<Failure, "detail">): boolean =>
  /failed to save snapshot|writing the new snapshot file/.test(detail);
