import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Request } from "../rotation/request";
import { Engine, type EngineResult } from "./engine";
import { OperationError } from "./errors";
import { failureOf } from "./failure";
import { checkFirst } from "./first-checks";
import { readOutputs } from "./outputs";
import { doesSomething, planInWords, type StackPlan } from "./plan-words";
import type { Project } from "./project";
import { clearLocks, locksIn, recover } from "./recover";
import { cleaned, generationOf, type RunContext } from "./run-context";
import { type Examined, examine, nextSteps } from "./run-failure";
import type { RunListener, RunOptions, RunResult } from "./run-result";
import { readConfig } from "./settings";
import { stateFolder } from "./state-file";
import { mendTornFiles } from "./torn-files";

/** One run of `rotation run`, from the config to the result. */
export class Run {
  private readonly started = performance.now();

  private constructor(private readonly context: RunContext) {}

  /** @throws ConfigError, UsageError, OperationError */
  static async open(project: Project, listener: RunListener): Promise<Run> {
    listener.step("reading the stack");
    for (const note of mendTornFiles(project)) listener.note(note);
    const [config, engine] = await Promise.all([readConfig(project), Engine.open(project)]);
    for (const note of await recover(project, engine)) listener.note(note);
    return new Run({ project, listener, engine, config, before: await readOutputs(project) });
  }

  /** Carries out what is due, or the request. Everything that goes wrong on the way is an answer. */
  async carryOut(options: RunOptions): Promise<RunResult> {
    const restore = await this.ask(options.request);
    const result = await this.attempt(options).catch(async (error: unknown) => {
      await restore();
      throw error;
    });
    const untouched = result.outcome === "failed" && !result.failure.touched;
    if (untouched || result.outcome === "declined" || result.outcome === "refused by the preflight") await restore();
    if (result.outcome === "done" && this.wanted(options) !== undefined)
      await this.context.engine.configure("request", undefined);
    return result;
  }

  /** Puts the request into the config. @returns what takes it out again */
  private async ask(request: Request | undefined): Promise<() => Promise<void>> {
    if (request === undefined) return () => Promise.resolve();
    const { engine, config } = this.context;
    await engine.configure("request", request);
    return () => engine.configure("request", config.request);
  }

  private wanted({ request }: RunOptions): Request | undefined {
    return request ?? this.context.config.request;
  }

  private async attempt(options: RunOptions): Promise<RunResult> {
    const { listener } = this.context;
    const refused = options.preflight === false ? undefined : await checkFirst(this.context, this.wanted(options));
    if (refused !== undefined) {
      const next = [`rotation diagnose --stack ${this.context.project.stack}   (the cause, and what mends it)`];
      return { outcome: "refused by the preflight", preflight: refused, next };
    }
    const folder = await mkdtemp(join(tmpdir(), "rotation-plan-"));
    try {
      const planFile = join(folder, "plan.json");
      const plan = await this.preview(planFile);
      if (!doesSomething(plan)) {
        await this.clearSharedLock(planFile);
        return { outcome: "nothing to do", plan };
      }
      listener.plan(plan, this.context.config);
      if (!(await listener.confirm(plan))) return { outcome: "declined", plan };
      return await this.update(planFile, plan, options);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** A dead process's lock in a backend that is no folder shows to an update alone; one that changes nothing meets it. */
  private async clearSharedLock(planFile: string): Promise<void> {
    const { project, engine } = this.context;
    if (stateFolder(project) !== undefined) return;
    const updated = await this.unlocked(() => engine.update(planFile));
    if (!updated.ok) throw this.refused(updated);
  }

  private async preview(planFile: string): Promise<StackPlan> {
    const { project, listener, engine, config } = this.context;
    listener.step("preview: asking the engine what would change");
    const previewed = await this.unlocked(() => engine.preview(planFile));
    if (!previewed.ok) throw this.refused(previewed);
    const plan = planInWords(project.stack, config, previewed);
    if (plan.dangers.length === 0) return plan;
    const dangers = plan.dangers.map((danger) => `  ${danger}`).join("\n");
    throw new OperationError(`this plan must not be carried out:\n${dangers}`);
  }

  private refused({ errors }: EngineResult): OperationError {
    return new OperationError(cleaned(this.context, errors.map(({ text }) => text).join("\n")));
  }

  private async update(planFile: string, plan: StackPlan, options: RunOptions): Promise<RunResult> {
    const { project, listener, engine, before } = this.context;
    const updated = await this.unlocked(() =>
      engine.update(planFile, (happening) => listener.happening(happening), options.signal),
    );
    if (!updated.ok) return this.failed(await examine(this.context, updated, plan, this.seconds()), options);
    const after = await readOutputs(project);
    const acted = plan.secrets.filter(({ action }) => action !== undefined);
    return {
      outcome: "done",
      seconds: this.seconds(),
      secrets: acted.map(({ secret, action }) => ({
        secret,
        action: action ?? "",
        from: generationOf(before[secret]?.state),
        to: generationOf(after[secret]?.state),
      })),
    };
  }

  private async failed(examined: Examined, options: RunOptions): Promise<RunResult> {
    const { failure, situation, target } = examined;
    const isRollback = this.wanted(options)?.activate !== undefined;
    if (options.autoRollback && failure.touched && failure.phase !== "audit" && target !== undefined && !isRollback) {
      return this.rollBack(examined, target);
    }
    const next = nextSteps(examined, this.context.project.stack, isRollback);
    return { outcome: "failed", failure, situation, next, seconds: this.seconds() };
  }

  /** The rollback after a failure, as a request of its own; its row in the audit log comes from inside the update. */
  private async rollBack({ secret, failure, situation }: Examined, target: number): Promise<RunResult> {
    const { project, listener, engine, config } = this.context;
    const run = `rotation run --stack ${project.stack}`;
    listener.note(`${failure.reason}\n${situation}\nGoing back to generation ${target}.`);
    const reason = `automatic rollback after: ${failure.reason}`.slice(0, 500);
    await engine.configure("request", { id: `auto-${Date.now()}`, secret, activate: target, reason });
    const updated = await engine.update(undefined, (happening) => listener.happening(happening));
    if (updated.ok) {
      await engine.configure("request", undefined);
      const now = `Every service is back on generation ${target}. The next rotation by age waits for policy.retryAfter.`;
      return {
        ...{ outcome: "rolled back", failure, situation: now, seconds: this.seconds() },
        next: ["mend the cause, then:", `${run} ${secret}`],
      };
    }
    const names = config.secrets.map(({ name }) => name);
    const text = cleaned(this.context, failureOf(updated, names).detail);
    return {
      outcome: "failed",
      failure: { ...failure, detail: `${failure.detail}\nthe rollback failed too: ${text}` },
      situation,
      next: [
        `${run}   (goes on with the rollback, which stands in the config)`,
        `rotation diagnose --stack ${project.stack}`,
      ],
      seconds: this.seconds(),
    };
  }

  /** Once more where only a dead process's lock stood in the way. */
  private async unlocked(act: () => Promise<EngineResult>): Promise<EngineResult> {
    const result = await act();
    const locks = result.ok ? [] : result.errors.flatMap(({ text }) => locksIn(text));
    if (locks.length === 0) return result;
    for (const note of await clearLocks(this.context.engine, locks)) this.context.listener.note(note);
    return act();
  }

  private seconds(): number {
    return Math.round((performance.now() - this.started) / 100) / 10;
  }
}
