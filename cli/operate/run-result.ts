import type { Request } from "../../core/request";
import type { Happening } from "./engine";
import type { Failure } from "./failure";
import type { StackPlan } from "./plan-words";
import type { PreflightResult } from "./preflight";
import type { Outline } from "./settings";
import type { Situation } from "./situation";

/** What a run tells while it goes on. */
export interface RunListener {
  /** What is being done now. */
  step(text: string): void;
  /** Something that was found or mended on the way. */
  note(text: string): void;
  preflight(results: readonly PreflightResult[]): void;
  plan(plan: StackPlan, outline: Pick<Outline, "services">): void;
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
  /** Ends the run as Ctrl-C would; its reason is the signal's name. */
  readonly signal?: AbortSignal;
  /** Whether nobody is asked before it acts, so that what is advised asks nobody either. Default false. */
  readonly yes?: boolean;
  /** The command that asks for this run, for who is to run it again. Default: `rotation run`. */
  readonly command?: string;
}

/** How a secret came out of a run. */
export interface SecretResult {
  readonly secret: string;
  readonly action: string;
  readonly from: number | null;
  readonly to: number | null;
  /** What the plan said and the platform does not show; empty where all was done. */
  readonly missing: readonly string[];
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
      /** "incomplete": the update succeeded, and something that it was to do is not to be seen. */
      readonly outcome: "done" | "incomplete";
      readonly secrets: readonly SecretResult[];
      /** What to run next; empty where all was done. */
      readonly next: readonly string[];
      readonly seconds: number;
    }
  | {
      readonly outcome: "failed" | "rolled back";
      readonly failure: Failure;
      /** What holds now, in words, as the platform showed it. */
      readonly situation: string;
      readonly situations: readonly Situation[];
      /** What to run next. */
      readonly next: readonly string[];
      readonly seconds: number;
    };
