import { messageOf } from "../core/errors";
import type { JsonLines } from "./json-listener";
import { OperationError, UsageError } from "./operate/errors";
import type { RunListener } from "./operate/run-result";
import { renderPlan } from "./render/plan";
import { type Ending, startProgress } from "./render/progress";
import { phaseTeller, renderPreflight } from "./render/run";
import { print } from "./run-command";

/** Prints the progress of a run, and asks before it acts. */
export function runListener(options: {
  /** What follows the run in lines, for `--json` and for a page. */
  readonly lines?: JsonLines | undefined;
  /** Whether people see nothing. */
  readonly json?: true;
  readonly yes?: true;
  readonly signal: AbortSignal;
}): RunListener & {
  /** Every note so far; the caller may take them. */
  readonly notes: string[];
  stop(how?: Ending): void;
} {
  const progress = startProgress(process.stderr, { quiet: options.json === true });
  const confirm = async () => {
    if (options.yes) return true;
    progress.stop();
    return confirmed("Carry out this plan?", options.signal);
  };
  const followed = options.lines?.listener(confirm);
  if (options.json && followed !== undefined) return followed;
  const say = (text: string) => {
    progress.stop();
    print(text);
  };
  let happening: ReturnType<typeof phaseTeller> = () => undefined;
  const notes: string[] = [];
  return {
    notes,
    step: (text) => {
      followed?.step(text);
      progress.step(text);
    },
    note: (text) => {
      followed?.note(text);
      notes.push(text);
      progress.note(`note: ${text}`);
    },
    preflight: (results) => {
      followed?.preflight(results);
      say(`${renderPreflight(results)}\n\n`);
    },
    plan: (plan, outline) => {
      followed?.plan(plan, outline);
      happening = phaseTeller(
        plan.secrets.map(({ secret }) => secret),
        outline,
        progress,
      );
      say(`${renderPlan(plan)}\n\n`);
    },
    happening: (event) => {
      followed?.happening(event);
      happening(event);
    },
    confirm,
    stop: (how) => progress.stop(how),
  };
}

/** @throws UsageError if there is no terminal to ask on */
export function assertTerminal(): void {
  if (process.stdin.isTTY && process.stderr.isTTY) return;
  throw new UsageError("there is no terminal to ask for confirmation on; add --yes");
}

/** Asks on a terminal; without one, `--yes` is needed. Ctrl-C and `signal` count as no. @throws UsageError */
export async function confirmed(message: string, signal?: AbortSignal): Promise<boolean> {
  assertTerminal();
  const { confirm } = await import("@inquirer/prompts");
  try {
    return await confirm({ message, default: false }, { output: process.stderr, ...(signal && { signal }) });
  } catch (error) {
    if (error instanceof Error && NO.has(error.name)) return false;
    throw new OperationError(messageOf(error), { cause: error });
  }
}

/** What the prompt throws at Ctrl-C, and when a signal ends it. */
const NO = new Set(["ExitPromptError", "AbortPromptError"]);

/** Ctrl-C and SIGTERM end a run gracefully: the engine finishes or stops its current steps, and the run waits for it. */
export function interruption(note: (text: string) => void): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) return note(`${name}: the engine is already stopping; waiting for it`);
    note(`${name}: stopping; waiting for the engine to end its current steps`);
    controller.abort(name);
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  return { signal: controller.signal, release: () => void process.off("SIGINT", stop).off("SIGTERM", stop) };
}
