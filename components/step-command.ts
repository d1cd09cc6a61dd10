import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { ACTIVATION, ONCE, rolledOutInterpreter, type StepName, sharedActivation, stepProgram } from "../core/phases";
import type { SecretState } from "../core/state";

export interface StepCommandArgs {
  /** A program in `steps/`, by its file name: reads JSON from stdin, prints one line of JSON without a secret. */
  readonly step: StepName;
  /** What the step is about, no secret: an argument of the command, so that previews, plans and failures name it. */
  readonly about?: string;
  /** The step's whole input. Secrets belong here and nowhere else: a failure prints the command line. */
  readonly input: pulumi.Input<Record<string, unknown>>;
  /**
   * The activation that the step belongs to; a change runs the step again. Without it a changed input runs the step.
   */
  readonly trigger?: pulumi.Input<string> | readonly string[];
  /** Set if a new activation runs the step in place. Default: as a replacement, as earlier versions did. */
  readonly inPlace?: SecretState["inPlace"];
  /**
   * Whether a change of the input alone (a new address in the config, say) runs the step too. Default true; false for a
   * step whose answer depends on the moment. A text is the argument with which it runs then, unless it runs in place.
   */
  readonly runOnInputChange?: boolean | string;
  /** Whether the step's stderr is shown while it runs. Default false. */
  readonly progress?: boolean;
  /**
   * An activation that needs no run of the step: it was carried out before this resource existed. The value at the
   * resource's creation is kept; the step finds it in the environment as `ROLLED_OUT`.
   */
  readonly rolledOut?: string;
}

/** Where `rolledOut` is, which is kept as it was at the resource's creation. */
const KEPT = "interpreter[1]";

let folder: string | undefined;

/** Where the steps' programs are, relative to the program's folder. Default: `dist/steps`. */
export function runStepsFrom(steps: string): void {
  folder = steps;
}

/** A program in `steps/` by its file name, relative to the program's folder. */
export const stepFile = (step: StepName): string => `${folder ?? "dist/steps"}/${step}.mjs`;

let hidden = false;

/** From now on the whole input of every step is a secret: a part that all of them share is one. */
export function hideStepInputs(): void {
  hidden = true;
}

/** A `local.Command` that runs a step once an activation. */
export function stepCommand(name: string, args: StepCommandArgs, opts: pulumi.CustomResourceOptions): local.Command {
  if (args.inPlace && args.trigger !== undefined) return stepInPlace(name, { ...args, trigger: args.trigger }, opts);
  const { rolledOut, runOnInputChange: again } = args;
  return new local.Command(
    name,
    {
      create: stepProgram(args.step, args.about, folder),
      ...(rolledOut === undefined ? {} : { interpreter: rolledOutInterpreter(rolledOut) }),
      ...(again === false ? { update: "true" } : {}),
      ...(typeof again === "string" ? { update: stepProgram(args.step, again, folder) } : {}),
      stdin: stdinOf(args),
      ...(args.trigger === undefined ? {} : { triggers: isList(args.trigger) ? args.trigger.slice() : [args.trigger] }),
      logging: args.progress === true ? local.Logging.Stderr : local.Logging.None,
      addPreviousOutputInEnv: false,
    },
    { ...opts, ...(rolledOut === undefined ? {} : { ignoreChanges: [KEPT] }) },
  );
}

/**
 * A new activation is another environment, which the engine updates in place: two writes of the state instead of four and a
 * deletion. The step compares it with its own last answer, so that a change of its input alone is told apart (`runStep`).
 */
function stepInPlace(
  name: string,
  {
    trigger,
    step,
    about,
    runOnInputChange,
    rolledOut,
    ...args
  }: StepCommandArgs & Required<Pick<StepCommandArgs, "trigger">>,
  { ignoreChanges = [], ...opts }: pulumi.CustomResourceOptions,
): local.Command {
  return new local.Command(
    name,
    {
      create: stepProgram(step, about, folder),
      ...(rolledOut === undefined ? {} : { interpreter: rolledOutInterpreter(rolledOut) }),
      environment: {
        [ACTIVATION]: isList(trigger) ? sharedActivation(trigger) : trigger,
        ...(runOnInputChange === false ? { [ONCE]: "1" } : {}),
      },
      stdin: stdinOf(args),
      logging: args.progress === true ? local.Logging.Stderr : local.Logging.None,
      addPreviousOutputInEnv: true,
    },
    // What an earlier version declared them with: a change of it is a replacement.
    { ...opts, ignoreChanges: [...ignoreChanges, "triggers", ...(rolledOut === undefined ? [] : [KEPT])] },
  );
}

const stdinOf = ({ input }: Pick<StepCommandArgs, "input">) =>
  hidden ? pulumi.secret(pulumi.jsonStringify(input)) : pulumi.jsonStringify(input);

const isList = (trigger: unknown): trigger is readonly string[] => Array.isArray(trigger);

/** The JSON line that a step printed; an empty object if it printed none (its last run was an update without effect). */
export function answerOf(command: local.Command): pulumi.Output<Record<string, unknown>> {
  return command.stdout.apply((line) => (line.trim() === "" ? {} : (JSON.parse(line) as Record<string, unknown>)));
}
