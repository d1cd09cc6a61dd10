import type { ProbeFigures } from "../../core/probes";
import type { Request } from "../../core/request";
import type { Happening } from "./engine";
import type { Failure } from "./failure";
import type { StackPlan } from "./plan-words";
import type { PreflightResult } from "./preflight";
import type { Outline } from "./settings";
import type { Situation } from "./situation";

/** Receives the progress of a run. */
export interface RunListener {
  /** What is being done now. */
  step(text: string): void;
  /** Something that was found or fixed on the way. */
  note(text: string): void;
  preflight(results: readonly PreflightResult[]): void;
  plan(plan: StackPlan, outline: Pick<Outline, "services">): void;
  happening(happening: Happening): void;
  /** Whether to go on with the plan. */
  confirm(plan: StackPlan): Promise<boolean>;
}

export interface RunOptions {
  /** Written into the config key `request` first, and removed once it was carried out. */
  readonly request?: Request;
  /** Whether to run the preflight before the preview; the update runs it in any case. Default true. */
  readonly preflight?: boolean;
  /** Rolls back to the previous generation if the update fails after it changed something. */
  readonly autoRollback?: boolean;
  /** Ends the run as Ctrl-C would; its reason is the signal's name. */
  readonly signal?: AbortSignal;
  /** Whether it acts without confirmation; the commands that it advises then do too. Default false. */
  readonly yes?: boolean;
  /** The command of this run, to advise running it again. Default: `rotation run`. */
  readonly command?: string;
}

/** The result of a run for one secret. */
export interface SecretResult {
  readonly secret: string;
  readonly action: string;
  readonly from: number | null;
  readonly to: number | null;
  /** What was planned and cannot be found on the platform; empty if all was done. */
  readonly missing: readonly string[];
  /** What probes saw meanwhile, if there were some. */
  readonly probes?: ProbeFigures;
}

/** How a run ended. */
export type RunResult =
  | { readonly outcome: "nothing to do" | "declined"; readonly plan: StackPlan }
  /** Ended by a signal before its update began: this run changed nothing. */
  | { readonly outcome: "interrupted"; readonly next: readonly string[] }
  | {
      readonly outcome: "refused by the preflight";
      readonly preflight: readonly PreflightResult[];
      /** What to run next. */
      readonly next: readonly string[];
    }
  | {
      /** "incomplete": the update succeeded, but something that it was to do cannot be found. */
      readonly outcome: "done" | "incomplete";
      readonly secrets: readonly SecretResult[];
      /** What to run next; empty if all was done. */
      readonly next: readonly string[];
      readonly seconds: number;
    }
  | {
      readonly outcome: "failed" | "rolled back";
      readonly failure: Failure;
      /** What holds now, in words, as checked on the platform. */
      readonly situation: string;
      readonly situations: readonly Situation[];
      /** What to run next. */
      readonly next: readonly string[];
      readonly seconds: number;
    };
