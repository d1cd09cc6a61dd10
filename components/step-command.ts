import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { rolledOutInterpreter, type StepName, stepProgram } from "../core/phases";

export interface StepCommandArgs {
  /** A program in `steps/`, by its file name: reads JSON from stdin, prints one line of JSON without a secret. */
  readonly step: StepName;
  /** What the step is about, no secret: an argument of the command, so that previews, plans and failures name it. */
  readonly about?: string;
  /** The step's whole input. Secrets belong here and nowhere else: a failure prints the command line. */
  readonly input: pulumi.Input<Record<string, unknown>>;
  /**
   * The activation that the step belongs to; a change runs the step again, as a replacement. Without it a changed input
   * runs the step in place.
   */
  readonly trigger?: pulumi.Input<string> | readonly string[];
  /**
   * Whether a change of the input alone (a new address in the config, say) runs the step too. Default true; false for a
   * step whose answer depends on the moment. A text is the argument with which it runs then.
   */
  readonly runOnInputChange?: boolean | string;
  /** Whether the step's stderr is shown while it runs. Default false. */
  readonly progress?: boolean;
  /**
   * An activation that needs no run of the step: it was carried out before this resource existed. The value at the
   * resource's creation is kept; the step finds it in the environment as `ROLLED_OUT`.
   */
  readonly rolledOut?: string;
  /**
   * Whether the step finds its last answer in the environment when it runs in place (`lastAnswer` of `steps/run-step.ts`). The
   * answer is a secret then. Default false.
   */
  readonly remembers?: boolean;
}

let folder: string | undefined;

/** Where the steps' programs are, relative to the program's folder. Default: `dist/steps`. */
export function runStepsFrom(steps: string): void {
  folder = steps;
}

let hidden = false;

/** From now on the whole input of every step is a secret: a part that all of them share is one. */
export function hideStepInputs(): void {
  hidden = true;
}

/** A `local.Command` that runs a step once an activation. */
export function stepCommand(name: string, args: StepCommandArgs, opts: pulumi.CustomResourceOptions): local.Command {
  const { rolledOut, runOnInputChange: again, remembers = false } = args;
  return new local.Command(
    name,
    {
      create: stepProgram(args.step, args.about, folder),
      ...(rolledOut === undefined ? {} : { interpreter: rolledOutInterpreter(rolledOut) }),
      ...(again === false ? { update: "true" } : {}),
      ...(typeof again === "string" ? { update: stepProgram(args.step, again, folder) } : {}),
      stdin: hidden ? pulumi.secret(pulumi.jsonStringify(args.input)) : pulumi.jsonStringify(args.input),
      ...(args.trigger === undefined ? {} : { triggers: isList(args.trigger) ? args.trigger.slice() : [args.trigger] }),
      logging: args.progress === true ? local.Logging.Stderr : local.Logging.None,
      addPreviousOutputInEnv: remembers,
    },
    {
      ...opts,
      ...(rolledOut === undefined ? {} : { ignoreChanges: ["interpreter[1]"] }),
      ...(remembers ? { additionalSecretOutputs: ["stdout"] } : {}),
    },
  );
}

const isList = (trigger: StepCommandArgs["trigger"]): trigger is readonly string[] => Array.isArray(trigger);

/** The JSON line that a step printed; an empty object if it printed none (its last run was an update without effect). */
export function answerOf(command: local.Command): pulumi.Output<Record<string, unknown>> {
  return command.stdout.apply((line) => (line.trim() === "" ? {} : (JSON.parse(line) as Record<string, unknown>)));
}
