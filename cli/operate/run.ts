import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Request } from "../../core/request";
import { byHand, explained, rotationCommand } from "./advice";
import { whatIsMissing } from "./done";
import { Engine, type EngineResult } from "./engine";
import { OperationError } from "./errors";
import { recordRefusal } from "./events/refused";
import { failureOf } from "./failure";
import { checkFirst } from "./first-checks";
import { removeHandled } from "./handled-request";
import { readOutputs } from "./outputs";
import { doesSomething, planInWords, type StackPlan } from "./plan-words";
import type { Project } from "./project";
import { clearLocks, locksIn, recover } from "./recover";
import { cleaned, generationOf, type RunContext } from "./run-context";
import { type Examined, examine, nextSteps } from "./run-failure";
import type { RunListener, RunOptions, RunResult } from "./run-result";
import { readConfig } from "./settings";
import { stateFolder } from "./state-file";
import { fixTornFiles } from "./torn-files";

/** One run of `rotation run`, from the config to the result. */
export class Run {
  private readonly started = performance.now();
  /** Whether an update may have begun: from then on its request stays in the config until it is not needed any more. */
  private updating = false;
  /** Whether it carries out a request that waited for another update of the same run. */
  private isSecond = false;

  private constructor(
    private readonly context: RunContext,
    private readonly options: RunOptions,
  ) {}

  /** @throws ConfigError, UsageError, OperationError */
  static async open(project: Project, listener: RunListener, options: RunOptions = {}): Promise<Run> {
    listener.step("reading the stack");
    for (const note of fixTornFiles(project)) listener.note(note);
    const [config, engine] = await Promise.all([readConfig(project), Engine.open(project)]);
    for (const note of await recover(project, engine)) listener.note(note);
    const { yes = false } = options;
    const again = options.command ?? rotationCommand(project, "run");
    const stoppedBy = () => options.signal?.reason as NodeJS.Signals | undefined;
    const before = await readOutputs(project);
    return new Run({ project, listener, engine, config, before, again, yes, stoppedBy }, options);
  }

  /** Carries out what is due, or the request. A failed update is a result, not an exception. */
  async carryOut(): Promise<RunResult> {
    const { request } = this.options;
    if (this.isStopped) return this.interrupted();
    try {
      if (request !== undefined) await this.context.engine.configure("request", request);
      const result = await this.attempt();
      const isDone = result.outcome === "done" || result.outcome === "incomplete";
      if (isDone) return await this.afterwards(result);
      if (!this.updating) await this.restore();
      return result;
    } catch (error) {
      if (this.updating) throw error;
      await this.restore();
      // A signal to the whole process group may have ended any command that the run had started.
      if (this.isStopped) return this.interrupted();
      throw error;
    }
  }

  /** Restores the config's request as it was before this run. */
  private async restore(): Promise<void> {
    if (this.options.request === undefined) return;
    await this.context.engine.configure("request", this.context.config.request);
  }

  /** Removes a handled request from the config; one that waited for an unfinished update acts in a second one. */
  private async afterwards(result: RunResult): Promise<RunResult> {
    const { context, options, wanted } = this;
    if (wanted === undefined) return result;
    const after = await readOutputs(context.project);
    if (after[wanted.secret]?.state?.handledRequest === wanted.id) {
      await removeHandled(wanted, context.project, context.engine, context.listener);
      return result;
    }
    if (this.isSecond || this.isStopped) return result;
    context.listener.note(`${wanted.secret}: the interrupted update is finished; now the request`);
    const second = await Run.open(context.project, context.listener, options);
    second.isSecond = true;
    return second.carryOut();
  }

  private get wanted(): Request | undefined {
    return this.options.request ?? this.context.config.request;
  }

  private get isStopped(): boolean {
    return this.options.signal?.aborted === true;
  }

  private interrupted(): RunResult {
    return { outcome: "interrupted", next: [this.context.again] };
  }

  private async attempt(): Promise<RunResult> {
    const { listener, project, config } = this.context;
    const refused = this.options.preflight === false ? undefined : await checkFirst(this.context, this.wanted);
    if (refused !== undefined) {
      await recordRefusal(this.context, refused);
      const diagnose = explained(rotationCommand(project, "diagnose"), "the cause, and what fixes it");
      const next = [diagnose, byHand("once it is fixed:"), this.context.again];
      return { outcome: "refused by the preflight", preflight: refused, next };
    }
    if (this.isStopped) return this.interrupted();
    const folder = await mkdtemp(join(tmpdir(), "rotation-plan-"));
    try {
      const planFile = join(folder, "plan.json");
      const plan = await this.preview(planFile);
      if (plan === undefined) return this.interrupted();
      if (!doesSomething(plan)) {
        await this.clearSharedLock(planFile);
        return { outcome: "nothing to do", plan };
      }
      listener.plan(plan, config);
      if (!(await listener.confirm(plan))) return this.isStopped ? this.interrupted() : { outcome: "declined", plan };
      if (this.isStopped) return this.interrupted();
      return await this.update(planFile, plan);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Only an update sees a dead process's lock in a backend that is not a folder: this one changes nothing else. */
  private async clearSharedLock(planFile: string): Promise<void> {
    const { project, engine } = this.context;
    if (stateFolder(project) !== undefined) return;
    const updated = await this.unlocked(() => engine.update(planFile));
    if (!updated.ok) throw this.refused(updated);
  }

  /** Undefined if a signal ended it. */
  private async preview(planFile: string): Promise<StackPlan | undefined> {
    const { project, listener, engine, config } = this.context;
    listener.step("preview: asking the engine what would change");
    const previewed = await this.unlocked(() => engine.preview(planFile, this.options.signal));
    if (this.isStopped) return undefined;
    if (!previewed.ok) throw this.refused(previewed);
    const plan = planInWords(project.stack, config, previewed);
    const lacking = plan.secrets.flatMap(({ lacks }) => lacks ?? []);
    if (lacking.length > 0) throw new OperationError(`${lacking.join("\n")}. Nothing was changed`);
    if (plan.dangers.length === 0) return plan;
    const dangers = plan.dangers.map((danger) => `  ${danger}`).join("\n");
    throw new OperationError(`this plan must not be carried out:\n${dangers}`);
  }

  private refused({ errors }: EngineResult): OperationError {
    return new OperationError(cleaned(this.context, errors.map(({ text }) => text).join("\n")));
  }

  private async update(planFile: string, plan: StackPlan): Promise<RunResult> {
    const { project, listener, engine, before } = this.context;
    this.updating = true;
    const updated = await this.unlocked(() =>
      engine.update(planFile, (happening) => listener.happening(happening), this.options.signal),
    );
    if (!updated.ok) return this.failed(await examine(this.context, updated, plan, this.seconds()));
    const after = await readOutputs(project);
    const acted = plan.secrets.filter(({ action }) => action !== undefined);
    const missing = await whatIsMissing(this.context, acted, after);
    const secrets = acted.map(({ secret, action }) => ({
      secret,
      action: action ?? "",
      missing: missing[secret] ?? [],
      from: generationOf(before[secret]?.state),
      to: generationOf(after[secret]?.state),
      ...(updated.probes[secret] === undefined ? {} : { probes: updated.probes[secret] }),
    }));
    if (secrets.every((secret) => secret.missing.length === 0))
      return { outcome: "done", secrets, next: [], seconds: this.seconds() };
    const next = [explained(rotationCommand(project, "diagnose"), "checks the platform from the outside")];
    return { outcome: "incomplete", secrets, next, seconds: this.seconds() };
  }

  private async failed(examined: Examined): Promise<RunResult> {
    const { failure, situation, situations, begun, touched, target } = examined;
    this.updating = begun;
    const isRollback = this.wanted?.activate !== undefined;
    const isDone = failure.phase === "audit";
    const goesBack = this.options.autoRollback && touched && !isDone && target !== undefined && !isRollback;
    if (goesBack && !this.isStopped) return this.rollBack(examined, target);
    const next = nextSteps(examined, this.context, isRollback);
    return { outcome: "failed", failure, situation, situations, next, seconds: this.seconds() };
  }

  /** The rollback after a failure, as a request of its own; the update writes its audit row. */
  private async rollBack({ secret, failure, situation }: Examined, target: number): Promise<RunResult> {
    const { project, listener, engine, config } = this.context;
    listener.note(`${failure.reason}\n${situation}\nRolling back to generation ${target}.`);
    const reason = `automatic rollback after: ${failure.reason}`.slice(0, 500);
    await engine.configure("request", { id: `auto-${Date.now()}`, secret, activate: target, reason });
    const updated = await engine.update(undefined, (happening) => listener.happening(happening), this.options.signal);
    if (updated.ok) {
      await engine.configure("request", undefined);
      const now = `Every service is back on generation ${target}. The next rotation by age waits for policy.retryAfter.`;
      return {
        outcome: "rolled back",
        failure,
        situation: now,
        situations: [],
        seconds: this.seconds(),
        next: [
          byHand("fix the cause, then:"),
          rotationCommand(project, `run ${secret}${this.context.yes ? " --yes" : ""}`),
        ],
      };
    }
    const plan = { secrets: [{ secret, action: "ROLLBACK" }] } as unknown as StackPlan;
    const again = await examine(this.context, updated, plan, this.seconds());
    const detail = `${failure.detail}\nThe rollback failed too: ${cleaned(this.context, failureOf(updated, config).detail)}`;
    const next = nextSteps(again, this.context, true);
    const { situations } = again;
    return {
      outcome: "failed",
      failure: { ...failure, detail },
      situation: again.situation,
      situations,
      next,
      seconds: this.seconds(),
    };
  }

  /** Tries once more if only a dead process's lock was in the way. */
  private async unlocked(act: () => Promise<EngineResult>): Promise<EngineResult> {
    const result = await act();
    const locks = result.ok ? [] : result.errors.flatMap(({ text }) => locksIn(text));
    if (locks.length === 0) return result;
    for (const note of await clearLocks(this.context.engine, locks, this.context.project))
      this.context.listener.note(note);
    return act();
  }

  private seconds(): number {
    return Math.round((performance.now() - this.started) / 100) / 10;
  }
}
