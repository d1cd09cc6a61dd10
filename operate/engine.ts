import type { EngineEvent, LocalWorkspace, Stack, StepEventMetadata } from "@pulumi/pulumi/automation/index.js";
import { PLANNED_AT } from "../rotation/clock";
import { nameOf } from "./engine-names";
import { OperationError } from "./errors";
import { engineEnvironment } from "./plugins";
import type { Project } from "./project";
import { pulumiEnvironment, runPulumi } from "./pulumi";
import type { PendingOperation } from "./state-file";
import { assertWhole } from "./torn-files";

/** What the engine does, or would do, to one resource. */
export interface Step {
  /** Such as `create`, `update`, `replace` or `same`. */
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  /** The resource's name, the last part of its URN. */
  readonly name: string;
  readonly oldInputs: Readonly<Record<string, unknown>>;
  readonly newInputs: Readonly<Record<string, unknown>>;
}

/** What happens while the engine works. */
export type Happening =
  | { readonly kind: "begins" | "done" | "failed"; readonly step: Step }
  /** What the program itself says. */
  | { readonly kind: "message"; readonly text: string };

/** What became of a preview or an update. */
export interface EngineResult {
  readonly ok: boolean;
  /** In the order in which the engine took them; each resource once, `same` among them. */
  readonly steps: readonly Step[];
  /** What the program itself said. */
  readonly messages: readonly string[];
  /** What went wrong, the first first; empty where it is `ok`. Never a secret: the engine redacts those it knows. */
  readonly errors: readonly { readonly text: string; readonly resource: string | undefined }[];
  /** The last resource that failed. */
  readonly failedStep: Step | undefined;
}

/** The state of a stack as `pulumi stack export --show-secrets` gives it. */
export interface Deployment {
  readonly version: number;
  readonly deployment: {
    readonly resources?: readonly ExportedResource[];
    readonly pending_operations?: readonly PendingOperation[];
  };
}

export interface ExportedResource {
  readonly urn: string;
  readonly type: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** Pulumi's engine on one stack, through the Automation API. */
export class Engine {
  private constructor(
    private readonly project: Project,
    private readonly stack: Stack,
  ) {}

  /**
   * @param reads for the state and the config alone, without a preview or an update: no plugin is needed
   * @throws UsageError where Pulumi or a real plugin is missing; OperationError where a state cannot be read
   */
  static async open(project: Project, { reads = false } = {}): Promise<Engine> {
    assertWhole(project);
    const env = await (reads ? pulumiEnvironment(project.env) : engineEnvironment(project));
    // The Automation API looks for `pulumi` on this process's PATH.
    process.env.PATH = env.PATH;
    await import("../sdk-on-demand.cjs");
    const automation = await import("@pulumi/pulumi/automation/index.js");
    const workspace = await automation.LocalWorkspace.create({
      workDir: project.dir,
      envVars: Object.fromEntries(
        Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
      ),
    });
    const stack = await automation.Stack.select(project.stack, withoutSelecting(workspace as LocalWorkspace));
    return new Engine(project, withoutAsking(stack));
  }

  /** What an update would do, saved as a plan where `planFile` is given. */
  preview(planFile: string | undefined, happens: (happening: Happening) => void = ignore): Promise<EngineResult> {
    this.stack.workspace.envVars[PLANNED_AT] = new Date().toISOString();
    return this.follow(happens, (onEvent) =>
      this.stack.preview({ color: "never", onEvent, ...(planFile === undefined ? {} : { plan: planFile }) }),
    );
  }

  /** Carries out an update; with a plan it does nothing else than the plan, and goes by its preview's time. `signal` ends it as Ctrl-C would. */
  update(
    planFile: string | undefined,
    happens: (happening: Happening) => void = ignore,
    signal?: AbortSignal,
  ): Promise<EngineResult> {
    if (planFile === undefined) delete this.stack.workspace.envVars[PLANNED_AT];
    return this.follow(happens, (onEvent) =>
      this.stack.up({
        color: "never",
        onEvent,
        ...(planFile === undefined ? {} : { plan: planFile }),
        ...(signal === undefined ? {} : { signal }),
      }),
    );
  }

  /** Takes the stack's lock away. */
  cancel(): Promise<void> {
    return this.stack.cancel();
  }

  /** The state, its secrets decrypted: keep it in memory. */
  async exportState(): Promise<Deployment> {
    return (await this.stack.exportStack()) as Deployment;
  }

  /** Writes the state back without the operations that an update which died had begun. */
  async dropPendingOperations(): Promise<void> {
    const { version, deployment } = await this.exportState();
    await this.stack.importStack({ version, deployment: { ...deployment, pending_operations: [] } });
  }

  /** Sets a config key; `undefined` removes it. A secret travels by stdin. */
  async configure(key: string, value: unknown, { secret = false } = {}): Promise<void> {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const args =
      value === undefined ? ["config", "rm", key] : ["config", "set", secret ? "--secret" : "--plaintext", key];
    const { exitCode, stderr } = await runPulumi(this.project, args, text);
    if (exitCode !== 0)
      throw new OperationError(`pulumi ${args.slice(0, 2).join(" ")} ${key} failed: ${stderr.trim()}`);
  }

  private async follow(
    happens: (happening: Happening) => void,
    run: (onEvent: (event: EngineEvent) => void) => Promise<unknown>,
  ): Promise<EngineResult> {
    const record = new Recorder(happens);
    try {
      await run((event) => record.take(event));
      return record.result(undefined);
    } catch (error) {
      return record.result(error instanceof Error ? error.message : String(error));
    }
  }
}

/** What the engine adds once something has failed: that it failed, and what of the plan was not done. */
const NOISE = /^((update|preview) failed|expected resource operations for \S+ but none were seen)$/;

/** What a replacement leaves to be forgotten, also one of an earlier update. */
const TIDYING = new Set(["delete-replaced", "discard-replaced", "read-discard", "remove-pending-replace"]);

/** Folds the engine's events. */
class Recorder {
  private readonly steps = new Map<string, Step>();
  private readonly messages: string[] = [];
  private readonly errors: { text: string; resource: string | undefined }[] = [];
  private failedStep: Step | undefined;

  constructor(private readonly happens: (happening: Happening) => void) {}

  take({ resourcePreEvent, resOutputsEvent, resOpFailedEvent, diagnosticEvent }: EngineEvent): void {
    if (resourcePreEvent) this.begin(stepOf(resourcePreEvent.metadata));
    if (resOutputsEvent) this.happens({ kind: "done", step: stepOf(resOutputsEvent.metadata) });
    if (resOpFailedEvent) {
      this.failedStep = stepOf(resOpFailedEvent.metadata);
      this.happens({ kind: "failed", step: this.failedStep });
    }
    if (diagnosticEvent) this.diagnose(diagnosticEvent);
  }

  private begin(step: Step): void {
    if (TIDYING.has(step.op)) return;
    // A replacement or an adoption comes as several steps: the first says what it is.
    const before = this.steps.get(step.urn);
    if (before === undefined || !/replace|import/.test(before.op)) this.steps.set(step.urn, step);
    this.happens({ kind: "begins", step });
  }

  private diagnose({ severity, message, urn }: NonNullable<EngineEvent["diagnosticEvent"]>): void {
    const text = withoutPlanned(message.trim());
    if (severity === "info" && text !== "") {
      this.messages.push(text);
      this.happens({ kind: "message", text });
    }
    if (severity === "error" && !NOISE.test(text)) {
      this.errors.push({ text, resource: urn === undefined || urn === "" ? undefined : nameOf(urn) });
    }
  }

  result(failure: string | undefined): EngineResult {
    const { messages, failedStep } = this;
    const errors =
      failure !== undefined && this.errors.length === 0
        ? [{ text: commandWords(failure), resource: undefined }]
        : this.errors;
    return { ok: failure === undefined, steps: [...this.steps.values()], messages, errors, failedStep };
  }
}

function stepOf({ op, urn, type, old, new: after }: StepEventMetadata): Step {
  return { op, urn, type, name: nameOf(urn), oldInputs: old?.inputs ?? {}, newInputs: after?.inputs ?? {} };
}

/**
 * Where an update is not what was planned, the engine prints the changed properties as they are, secrets included: their
 * names alone. What the plan guard found (`components/plan-guard.ts`) in words.
 */
export function withoutPlanned(text: string): string {
  const [, parts] = /violates plan: ignoreChanges changed: added (.*); deleted/.exec(text) ?? [];
  if (parts !== undefined) {
    const names = parts.split(", ").map((part) => part.replace(/-[0-9a-f]+$/, "").replace("-", " "));
    return `${names.join(" and ")} changed between the preview and the update: run it again`;
  }
  return text.replace(/(violates plan: properties changed: )([\s\S]*)/, (_, says: string, changes: string) => {
    const names = [...changes.matchAll(/(?:^|, )(?:~~|\+\+|--)(\w+)/g)].map(([, name]) => name);
    return `${says}${[...new Set(names)].join(", ")}`;
  });
}

/** What the CLI said on stderr, out of the Automation API's message with its whole command line. */
function commandWords(message: string): string {
  const stderr = /stderr: ([\s\S]*?)(?:\n\s*err\?: [\s\S]*)?$/.exec(message)?.[1]?.trim();
  return withoutPlanned((stderr || message).replace(/^error: /, ""));
}

/** Which stack is selected is the user's own affair: a plain `pulumi up` later must not meet another one. */
function withoutSelecting(workspace: LocalWorkspace): LocalWorkspace {
  return Object.assign(workspace, { selectStack: () => Promise.resolve() });
}

/** After an update the Automation API asks Pulumi three times for outputs and history, a second that nobody needs here. */
function withoutAsking(stack: Stack): Stack {
  return Object.assign(stack, { outputs: () => Promise.resolve({}), info: () => Promise.resolve(undefined) });
}

function ignore(): undefined {
  return undefined;
}
