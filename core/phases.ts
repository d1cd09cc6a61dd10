import { slugOf } from "./resource-names";
import { quoted, unquoted } from "./shell-word";

/**
 * What a part of a rotation changes: nothing at all, the stack's own state alone, something on the platform, or something
 * that only the user's own command knows.
 */
export type Touches = "nothing" | "stack" | "database" | "store" | "services" | "log" | "elsewhere";

interface PhaseRow {
  /** What is done, as shown while it runs. */
  readonly words: string;
  readonly touches: Touches;
}

const TABLE = {
  preflight: { words: "checking everything the rotation will touch", touches: "nothing" },
  before: { words: "running the `before` hook", touches: "elsewhere" },
  "new value": { words: "making the new value", touches: "stack" },
  database: { words: "changing the login role", touches: "database" },
  verify: { words: "trying the new credential", touches: "nothing" },
  store: { words: "writing the store and reading it back", touches: "store" },
  restart: { words: "restarting services, one at a time", touches: "services" },
  confirm: { words: "trying the new credential again", touches: "nothing" },
  settle: { words: "marking what is in use now, and ending what is over", touches: "database" },
  after: { words: "running the `after` hook", touches: "elsewhere" },
  audit: { words: "writing the audit row", touches: "log" },
} as const satisfies Record<string, PhaseRow>;

/** A part of a rotation. */
export type Phase = keyof typeof TABLE;

/** What each part of a rotation is, and what it changes. */
export const PHASE: Readonly<Record<Phase, PhaseRow>> = TABLE;

/** The parts of a rotation, in the order in which they come. */
export const PHASES = Object.keys(TABLE) as Phase[];

/** A program in `steps/`, by its file name. */
export type StepName = string;

/**
 * The command that runs a step: relative to the project's folder, where the engine starts its plugins.
 *
 * @param about what the step is about, no secret; it only names it
 * @param folder where the steps are
 */
export const stepProgram = (step: StepName, about?: string, folder = "dist/steps"): string =>
  `node ${quoted(`${folder}/${step}.mjs`)}${about === undefined ? "" : ` ${quoted(about)}`}`;

/** In the environment of a step that runs in place: the activation that it belongs to, so that a preview shows it. */
export const ACTIVATION = "ROTATION_ACTIVATION";

/** Set beside it for a step that runs once for each activation: if only its input has changed, it repeats its last answer. */
export const ONCE = "ROTATION_ONCE";

/** Where the command plugin puts the last answer of a step that runs in place. */
export const LAST_ANSWER = "PULUMI_COMMAND_STDOUT";

/** Where it puts what the step printed beside it. */
export const LAST_WARNINGS = "PULUMI_COMMAND_STDERR";

/** The activation of a step that runs in place; undefined for any other resource. */
export function activationIn({ environment }: Readonly<Record<string, unknown>>): string | undefined {
  const value = (environment as Readonly<Record<string, unknown>> | undefined)?.[ACTIVATION];
  return typeof value === "string" ? value : undefined;
}

/** The activations that a step was last run for: several if secrets share it. Empty for any other resource. */
export function activationsIn(inputs: Readonly<Record<string, unknown>>): readonly string[] {
  const inPlace = activationIn(inputs);
  // What an earlier version had as triggers stays beside it, as it was.
  if (inPlace !== undefined) return inPlace.startsWith("[") ? (JSON.parse(inPlace) as string[]) : [inPlace];
  return Array.isArray(inputs.triggers) ? inputs.triggers.map(String) : [];
}

/** The activation of a step that several secrets share, as {@link activationsIn} reads it. */
export const sharedActivation = (activations: readonly string[]): string => JSON.stringify(activations);

/** Whether a step that runs in place does so because another input has changed: it was carried out for its activation before. */
export function isAgain({ op, oldInputs, newInputs }: Pick<Acting, "op" | "oldInputs" | "newInputs">): boolean {
  const activation = activationIn(newInputs);
  return op === "update" && activation !== undefined && activation === activationIn(oldInputs);
}

/** The argument of a step that runs again because its input has changed, and does not belong to a rotation. */
export const AGAIN = "again";

/**
 * The interpreter for a step that only records what an earlier version of this program has rolled out.
 *
 * @param activation the one that was rolled out
 */
export const rolledOutInterpreter = (activation: string): string[] => [
  "/usr/bin/env",
  `ROLLED_OUT=${activation}`,
  "/bin/sh",
  "-c",
];

/** Whether a command with these inputs only records that its activation was rolled out before. */
export function isRolledOut(inputs: Readonly<Record<string, unknown>>): boolean {
  const { interpreter } = inputs;
  const activation = activationsIn(inputs).join(", ");
  return activation !== "" && Array.isArray(interpreter) && interpreter[1] === `ROLLED_OUT=${activation}`;
}

/** A resource as the engine or the state has it. */
export interface Placed {
  readonly type: string;
  readonly urn: string;
  readonly name: string;
  readonly newInputs?: Readonly<Record<string, unknown>>;
  readonly oldInputs?: Readonly<Record<string, unknown>>;
}

/** A resource that the engine acts on, or would. */
export interface Acting extends Required<Placed> {
  /** Such as `create`, `update`, `replace` or `same`. */
  readonly op: string;
}

/** The context in which a resource is described. */
export interface Around {
  /** The secret that it belongs to. */
  readonly secret: string;
  /** Whether the update changes that secret. */
  readonly acts: boolean;
  readonly phase: Phase | undefined;
}

/** Describes in a plan what a resource does; undefined if it only accompanies another one. */
export type Words = (resource: Acting, around: Around) => string | undefined;

/** A program in `steps/`, or a component, in a rotation. */
export interface Row {
  /** The part it belongs to; null for what belongs to none (an id that is drawn once). */
  readonly phase: Phase | null;
  /** Default: the phase's own words. */
  readonly words?: Words;
}

/** A type of a provider's resources in a rotation. */
export interface ResourceRow extends Row {
  /** Whether it holds a credential, which cannot be restored once it is deleted. */
  readonly holdsCredential?: true;
}

/** What a kind or a store adds to a rotation, and which part of it each belongs to. */
export interface PhaseTable {
  /** By the file name of the program. */
  readonly steps?: Readonly<Record<StepName, Row>>;
  /** By type; the row holds for everything that is declared inside. */
  readonly components?: Readonly<Record<string, Row>>;
  /** By type. */
  readonly resources?: Readonly<Record<string, ResourceRow>>;
}

/** A step that a command runs. */
export interface StepRun {
  readonly step: StepName;
  /** What it is about, if the command says so after the program. */
  readonly about: string | undefined;
}

/** The step that a command runs; undefined for any other resource. */
export function stepOf({ newInputs, oldInputs }: Pick<Placed, "newInputs" | "oldInputs">): StepRun | undefined {
  const command = String(newInputs?.create ?? oldInputs?.create);
  const [, step, about] = /^node '?(?:.*?\/)?dist\/steps\/([\w-]+)\.mjs'?(?: (.*))?$/s.exec(command) ?? [];
  return step === undefined ? undefined : { step, about: about && unquoted(about) };
}

/** What follows on the secret and `part` in a resource's name. */
export const restOf = (name: string, secret: string, part: string): string =>
  name.slice(`${slugOf(secret)}-${part}`.length);
