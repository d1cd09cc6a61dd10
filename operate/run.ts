import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Config, policyOf, type SecretConfig } from "../config";
import { dueAt } from "../rotation/next-state";
import { redact } from "../rotation/redact";
import type { Request } from "../rotation/request";
import { activeGeneration, type SecretState } from "../rotation/state";
import { recordFailure } from "./audit-failure";
import { Engine, type EngineResult, type Happening } from "./engine";
import { OperationError } from "./errors";
import { describeSituation, type Failure, failureOf, stoppedAt } from "./failure";
import { isHalfDone } from "./half-done";
import { readOutputs as outputsOf, type readOutputs } from "./outputs";
import { doesSomething, planInWords, type StackPlan } from "./plan-words";
import { checkSecrets, type PreflightMode, type PreflightResult } from "./preflight";
import type { Project } from "./project";
import { clearLocks, locksIn, recover } from "./recover";
import { configSecrets, environmentSecrets } from "./secrets";
import { clockOf, readConfig } from "./settings";
import { removeTornFiles } from "./torn-files";

/** What a run tells while it goes on. */
export interface RunListener {
  /** What is being done now. */
  step(text: string): void;
  /** Something that was found or mended on the way. */
  note(text: string): void;
  preflight(results: readonly PreflightResult[]): void;
  plan(plan: StackPlan): void;
  happening(happening: Happening): void;
  /** Whether to go on with the plan. */
  confirm(plan: StackPlan): Promise<boolean>;
}

export interface RunOptions {
  /** Written into the config key `request` before, and taken out again after it was carried out. */
  readonly request?: Request;
  /** Whether to look at everything on its own first; an update looks again by itself. Default true. */
  readonly preflight?: boolean;
  /** Goes back to the generation before when the update fails after something was changed. */
  readonly autoRollback?: boolean;
  /** Ends the update as Ctrl-C would. */
  readonly signal?: AbortSignal;
}

/** How a secret came out of a run. */
export interface SecretResult {
  readonly secret: string;
  readonly action: string;
  readonly from: number | null;
  readonly to: number | null;
}

/** How a run ended. */
export type RunResult =
  | { readonly outcome: "nothing to do" | "declined"; readonly plan: StackPlan }
  | { readonly outcome: "refused by the preflight"; readonly preflight: readonly PreflightResult[] }
  | { readonly outcome: "done"; readonly secrets: readonly SecretResult[]; readonly seconds: number }
  | {
      readonly outcome: "failed" | "rolled back";
      readonly failure: Failure;
      /** What holds now, in words. */
      readonly situation: string;
      /** What to run next. */
      readonly next: readonly string[];
      readonly seconds: number;
    };

/** One run of `rotation run`, from the config to the result. */
export class Run {
  private readonly started = performance.now();

  private constructor(
    private readonly project: Project,
    private readonly listener: RunListener,
    private readonly engine: Engine,
    private readonly config: Config,
    private readonly before: Awaited<ReturnType<typeof readOutputs>>,
  ) {}

  /** @throws ConfigError, UsageError, OperationError */
  static async open(project: Project, listener: RunListener): Promise<Run> {
    listener.step("reading the stack");
    for (const note of removeTornFiles(project)) listener.note(note);
    const [config, engine] = await Promise.all([readConfig(project), Engine.open(project)]);
    for (const note of await recover(project, engine)) listener.note(note);
    return new Run(project, listener, engine, config, await outputsOf(project));
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
      await this.engine.configure("request", undefined);
    return result;
  }

  /** Puts the request into the config. @returns what takes it out again */
  private async ask(request: Request | undefined): Promise<() => Promise<void>> {
    if (request === undefined) return () => Promise.resolve();
    const earlier = this.config.request;
    await this.engine.configure("request", request);
    return () => this.engine.configure("request", earlier);
  }

  private wanted({ request }: RunOptions): Request | undefined {
    return request ?? this.config.request;
  }

  private async attempt(options: RunOptions): Promise<RunResult> {
    const refused = options.preflight === false ? undefined : await this.checkFirst(options);
    if (refused !== undefined) return { outcome: "refused by the preflight", preflight: refused };
    const folder = await mkdtemp(join(tmpdir(), "rotation-plan-"));
    try {
      const planFile = join(folder, "plan.json");
      const plan = await this.preview(planFile);
      if (!doesSomething(plan)) return { outcome: "nothing to do", plan };
      this.listener.plan(plan);
      if (!(await this.listener.confirm(plan))) return { outcome: "declined", plan };
      return await this.update(planFile, plan, options);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** The preflight of what is about to act. @returns its results where one check failed */
  private async checkFirst(options: RunOptions): Promise<PreflightResult[] | undefined> {
    const request = this.wanted(options);
    const acting = this.config.secrets.filter(
      (secret) => secret.name === request?.secret || willRotate(this.config, secret, this.before[secret.name]?.state),
    );
    if (acting.length === 0) return undefined;
    this.listener.step("preflight: checking everything the rotation will touch");
    const state = await this.engine.exportState();
    const resources = state.deployment.resources ?? [];
    const [unfinished, fresh] = partition(acting, ({ name }) => isHalfDone(resources, name, this.before[name]?.state));
    for (const { name } of unfinished)
      this.listener.note(`${name}: an earlier update died half-way; this one goes on from there`);
    if (fresh.length === 0) return undefined;
    const groups = [...new Set(fresh.map(({ name }) => modeOf(name, request)))];
    const results = await Promise.all(
      groups.map((mode) =>
        checkSecrets(
          this.config,
          fresh.filter(({ name }) => modeOf(name, request) === mode),
          mode,
          this.before,
          state,
        ),
      ),
    );
    this.listener.preflight(results.flat());
    return results.flat().every(({ ok }) => ok) ? undefined : results.flat();
  }

  private async preview(planFile: string): Promise<StackPlan> {
    this.listener.step("preview: asking the engine what would change");
    const previewed = await this.unlocked(() => this.engine.preview(planFile));
    if (!previewed.ok) throw new OperationError(this.clean(previewed.errors.map(({ text }) => text).join("\n")));
    const plan = planInWords(this.project.stack, this.config, previewed);
    if (plan.dangers.length > 0) {
      throw new OperationError(
        `this plan must not be carried out:\n${plan.dangers.map((danger) => `  ${danger}`).join("\n")}`,
      );
    }
    return plan;
  }

  private async update(planFile: string, plan: StackPlan, options: RunOptions): Promise<RunResult> {
    const updated = await this.unlocked(() =>
      this.engine.update(planFile, (happening) => this.listener.happening(happening), options.signal),
    );
    const seconds = this.seconds();
    if (!updated.ok) return this.failed(updated, plan, options);
    const after = await outputsOf(this.project);
    const acted = plan.secrets.filter(({ action }) => action !== undefined);
    return {
      outcome: "done",
      seconds,
      secrets: acted.map(({ secret, action }) => ({
        secret,
        action: action ?? "",
        from: generationOf(this.before[secret]?.state),
        to: generationOf(after[secret]?.state),
      })),
    };
  }

  private async failed(updated: EngineResult, plan: StackPlan, options: RunOptions): Promise<RunResult> {
    const names = this.config.secrets.map(({ name }) => name);
    const found = failureOf(updated, names);
    const failure = { ...found, reason: this.clean(found.reason), detail: this.clean(found.detail) };
    const acting = plan.secrets.filter(({ action }) => action !== undefined).map(({ secret }) => secret);
    const name = failure.secret ?? acting[0] ?? names[0] ?? "";
    const secret = this.config.secrets.find((candidate) => candidate.name === name);
    const from = generationOf(this.before[name]?.state) ?? undefined;
    const unrecorded = await recordFailure(this.config, {
      secret: name,
      stack: this.project.stack,
      action: plan.secrets.find((candidate) => candidate.secret === name)?.action,
      failure,
      generation: from,
      now: clockOf(this.config),
      seconds: this.seconds(),
      env: this.project.env,
    });
    if (unrecorded !== undefined) this.listener.note(`the FAILED row could not be written: ${this.clean(unrecorded)}`);
    const strategy = (secret as { strategy?: string } | undefined)?.strategy ?? "";
    const situation = describeSituation({
      failure,
      strategy,
      from,
      services: secret?.restart ?? [],
      stoppedAt: stoppedAt(failure, this.config),
    });
    const target = from ?? (name in this.config.adopted ? 0 : undefined);
    const isRollback = this.wanted(options)?.activate !== undefined;
    if (options.autoRollback && failure.touched && failure.phase !== "audit" && target !== undefined && !isRollback) {
      return this.rollBack(name, target, failure, situation);
    }
    return {
      outcome: "failed",
      failure,
      situation,
      next: nextSteps(name, failure, target, isRollback),
      seconds: this.seconds(),
    };
  }

  private async rollBack(secret: string, target: number, failure: Failure, situation: string): Promise<RunResult> {
    this.listener.note(`${situation}\nGoing back to generation ${target}.`);
    const id = `auto-${Date.now()}`;
    const reason = `automatic rollback after: ${failure.reason}`.slice(0, 500);
    await this.engine.configure("request", { id, secret, activate: target, reason });
    const updated = await this.engine.update(undefined, (happening) => this.listener.happening(happening));
    if (updated.ok) {
      await this.engine.configure("request", undefined);
      const now = `Every service is back on generation ${target}. The next rotation by age waits for policy.retryAfter.`;
      return {
        outcome: "rolled back",
        failure,
        situation: now,
        next: ["mend the cause, then `rotation run`"],
        seconds: this.seconds(),
      };
    }
    const text = this.clean(
      failureOf(
        updated,
        this.config.secrets.map(({ name }) => name),
      ).detail,
    );
    return {
      outcome: "failed",
      failure: { ...failure, detail: `${failure.detail}\nthe rollback failed too: ${text}` },
      situation,
      next: [`rotation run   (goes on with the rollback, which stands in the config)`, "rotation diagnose"],
      seconds: this.seconds(),
    };
  }

  /** Once more where only a dead process's lock stood in the way. */
  private async unlocked(act: () => Promise<EngineResult>): Promise<EngineResult> {
    const result = await act();
    const locks = result.ok ? [] : result.errors.flatMap(({ text }) => locksIn(text));
    if (locks.length === 0) return result;
    for (const note of await clearLocks(this.engine, locks)) this.listener.note(note);
    return act();
  }

  private clean(text: string): string {
    return redact(text, [...environmentSecrets(this.project.env), ...configSecrets(this.config)]);
  }

  private seconds(): number {
    return Math.round((performance.now() - this.started) / 100) / 10;
  }
}

/** Whether an update rotates a secret by itself: by its age, or since the operator supplied a new key. */
function willRotate(config: Config, secret: SecretConfig, state: SecretState | undefined): boolean {
  if (state === undefined) return true;
  if (secret.kind === "alpaca-key") {
    const label = config.alpacaKeys[secret.name]?.current.label;
    return label !== undefined && !state.labels.includes(label);
  }
  return clockOf(config) >= dueAt(state, policyOf(config, secret));
}

function partition<T>(items: readonly T[], belongs: (item: T) => boolean): [T[], T[]] {
  return [items.filter(belongs), items.filter((item) => !belongs(item))];
}

function modeOf(secret: string, request: Request | undefined): PreflightMode {
  if (request?.secret !== secret) return "rotation";
  if (request.activate !== undefined) return "rollback";
  return request.emergency ? "emergency" : "rotation";
}

const generationOf = (state: SecretState | undefined): number | null =>
  state === undefined ? null : activeGeneration(state);

function nextSteps(
  secret: string,
  { phase, touched }: Failure,
  target: number | undefined,
  isRollback: boolean,
): string[] {
  const back = `rotation rollback ${secret} --reason "..."   (back to generation ${target})`;
  if (!touched) return ["mend what is named above, then run the same command again"];
  if (phase === "audit" || isRollback || target === undefined) return ["rotation run   (finishes what is left)"];
  return ["rotation run   (finishes it)", back, "rotation diagnose   (looks at it from the outside)"];
}
