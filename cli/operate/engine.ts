import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineEvent, LocalWorkspace, Stack } from "@pulumi/pulumi/automation/index.js";
import { PLANNED_AT } from "../../core/clock";
import { messageOf } from "../../core/errors";
import { PLANS_FILE, type Plan } from "../../core/plan";
import { sessionEnvironment } from "../../stores";
import { Recorder } from "./engine-events";
import type { EngineResult, Happening } from "./engine-result";
import { OperationError } from "./errors";
import { endMarked } from "./orphans";
import { engineEnvironment } from "./plugins";
import { withProbes } from "./probe-lines";
import type { Project } from "./project";
import { pulumiEnvironment, runPulumi } from "./pulumi";
import type { PendingOperation } from "./state-file";
import { assertWhole } from "./torn-files";

export type { EngineResult, Happening, Step } from "./engine-result";

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

/** A variable in the environment of every process that an engine starts, so that they are found if it is killed. */
const RUN_MARK = "SECRET_ROTATION_RUN";

/** Pulumi's engine on one stack, through the Automation API. */
export class Engine {
  private constructor(
    private readonly project: Project,
    private readonly stack: Stack,
    private readonly mark: string,
  ) {}

  /**
   * @param reads for reading state and config only: no plugin is needed
   * @throws UsageError if Pulumi or a real plugin is missing; OperationError if the state cannot be read
   */
  static async open(project: Project, { reads = false } = {}): Promise<Engine> {
    assertWhole(project);
    const env = await (reads ? pulumiEnvironment(project.env) : engineEnvironment(project));
    // The Automation API looks for `pulumi` on this process's PATH.
    process.env.PATH = env.PATH;
    await import("../../sdk-on-demand.cjs");
    const automation = await import("@pulumi/pulumi/automation/index.js");
    const mark: string = randomUUID();
    const workspace = await automation.LocalWorkspace.create({
      workDir: project.dir,
      envVars: Object.fromEntries(
        Object.entries({ ...env, [RUN_MARK]: mark }).filter(
          (entry): entry is [string, string] => entry[1] !== undefined,
        ),
      ),
    });
    const stack = await automation.Stack.select(project.stack, withoutSelecting(workspace as LocalWorkspace));
    return new Engine(project, withoutAsking(stack), mark);
  }

  /** What an update would do, saved as a plan if `planFile` is given. `signal` ends it. */
  preview(planFile: string | undefined, signal?: AbortSignal): Promise<EngineResult> {
    const { envVars } = this.stack.workspace;
    envVars[PLANNED_AT] = new Date().toISOString();
    return withPlans(envVars, () =>
      this.follow(ignore, signal, (onEvent, stop) =>
        this.stack.preview({
          color: "never",
          onEvent,
          signal: stop,
          ...(planFile === undefined ? {} : { plan: planFile }),
        }),
      ),
    );
  }

  /** Carries out an update; with a plan, exactly the plan, by its preview's clock. `signal` ends it as Ctrl-C would. */
  update(
    planFile: string | undefined,
    happens: (happening: Happening) => void = ignore,
    signal?: AbortSignal,
  ): Promise<EngineResult> {
    if (planFile === undefined) delete this.stack.workspace.envVars[PLANNED_AT];
    return withProbes(this.stack.workspace.envVars, happens, () =>
      this.follow(happens, signal, (onEvent, stop) =>
        this.stack.up({
          color: "never",
          onEvent,
          signal: stop,
          ...(planFile === undefined ? {} : { plan: planFile }),
        }),
      ),
    );
  }

  /**
   * Ends the processes that a killed engine left running: its language host, plugins and steps.
   * @returns how many processes there were
   */
  endOrphans(): Promise<number> {
    return endMarked(RUN_MARK, this.mark);
  }

  /** Removes the stack's lock. */
  cancel(): Promise<void> {
    return this.stack.cancel();
  }

  /** The state, its secrets decrypted: keep it in memory. */
  async exportState(): Promise<Deployment> {
    return (await this.stack.exportStack()) as Deployment;
  }

  /** Writes the state back without the operations that an interrupted update had begun. */
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
    signal: AbortSignal | undefined,
    run: (onEvent: (event: EngineEvent) => void, stop: AbortSignal) => Promise<unknown>,
  ): Promise<EngineResult> {
    const record = new Recorder(happens);
    const stop = new AbortController();
    // A signal to the whole process group reaches the engine as well, which says so; a second one would kill it.
    const pass = () => setTimeout(() => record.isStopping || stop.abort(), HEARD_MS).unref();
    if (signal?.aborted) pass();
    signal?.addEventListener("abort", pass, { once: true });
    try {
      // What the engine starts logs in with the same credential.
      Object.assign(this.stack.workspace.envVars, await sessionEnvironment());
      await run((event) => record.take(event), stop.signal);
      return record.result(undefined, signal);
    } catch (error) {
      return record.result(messageOf(error), signal);
    } finally {
      signal?.removeEventListener("abort", pass);
    }
  }
}

/** How long an engine may take to report a signal, in milliseconds. */
const HEARD_MS = 1500;

/** A preview with the program's decisions, which it writes into a temporary file. */
async function withPlans(envVars: Record<string, string>, act: () => Promise<EngineResult>): Promise<EngineResult> {
  const folder = await mkdtemp(join(tmpdir(), "rotation-plans-"));
  const file = join(folder, "plans.jsonl");
  envVars[PLANS_FILE] = file;
  try {
    const result = await act();
    const lines = existsSync(file) ? (await readFile(file, "utf8")).split("\n").filter((line) => line !== "") : [];
    return { ...result, plans: lines.map((line) => JSON.parse(line) as Plan) };
  } finally {
    delete envVars[PLANS_FILE];
    await rm(folder, { recursive: true, force: true });
  }
}

/** Keeps the user's selected stack: a plain `pulumi up` later must not update another one. */
function withoutSelecting(workspace: LocalWorkspace): LocalWorkspace {
  return Object.assign(workspace, { selectStack: () => Promise.resolve() });
}

/** After an update the Automation API runs Pulumi three times for outputs and history: a second for nothing. */
function withoutAsking(stack: Stack): Stack {
  return Object.assign(stack, { outputs: () => Promise.resolve({}), info: () => Promise.resolve(undefined) });
}

function ignore(): undefined {
  return undefined;
}
