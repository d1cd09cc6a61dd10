import { OperationError, UsageError } from "../operate/errors";
import type { RunListener } from "../operate/run-result";
import { renderPlan } from "./render/plan";
import { startProgress } from "./render/progress";
import { phaseTeller, renderPreflight } from "./render/run";
import { wrap } from "./render/table";
import { print } from "./run-command";

/** Prints what a run tells, and asks before it acts. */
export function runListener(options: { readonly json?: true; readonly yes?: true }): RunListener & {
  /** Every note so far, for `--json`; the caller may take them. */
  readonly notes: string[];
  stop(): void;
} {
  const progress = startProgress(process.stderr, { quiet: options.json === true });
  const say = (text: string) => {
    progress.stop();
    if (!options.json) print(text);
  };
  let happening: ReturnType<typeof phaseTeller> = () => undefined;
  const notes: string[] = [];
  return {
    notes,
    step: (text) => progress.step(text),
    note: (text) => {
      notes.push(text);
      progress.note(forReading(`note: ${text}`));
    },
    preflight: (results) => say(`${renderPreflight(results)}\n\n`),
    plan: (plan, outline) => {
      happening = phaseTeller(
        plan.secrets.map(({ secret }) => secret),
        outline,
        (text) => progress.step(text),
      );
      say(`${renderPlan(plan)}\n\n`);
    },
    happening: (event) => happening(event),
    confirm: async () => {
      if (options.yes) return true;
      progress.stop();
      return confirmed("Carry this plan out?");
    },
    stop: () => progress.stop(),
  };
}

/** Wrapped for people at a terminal; a log keeps one line a message, which can be searched. */
const forReading = (text: string): string => (process.stderr.isTTY ? wrap(text) : text);

/** Whether somebody can be asked. @throws UsageError where nobody can */
export function assertTerminal(): void {
  if (process.stdin.isTTY && process.stderr.isTTY) return;
  throw new UsageError("without a terminal nobody can be asked whether to go on; add --yes");
}

/** Asks on a terminal; anywhere else `--yes` is needed. @throws UsageError */
export async function confirmed(message: string): Promise<boolean> {
  assertTerminal();
  const { confirm } = await import("@inquirer/prompts");
  try {
    return await confirm({ message, default: false }, { output: process.stderr });
  } catch (error) {
    if (error instanceof Error && error.name === "ExitPromptError") return false;
    throw new OperationError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** Ends an update gracefully on Ctrl-C and SIGTERM: the engine finishes the step under way. */
export function interruption(note: (text: string) => void): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals) => {
    note(`${name}: the engine ends what is under way, then stops; another run goes on from there`);
    // On a terminal Ctrl-C reaches the engine by itself.
    if (name !== "SIGINT" || !process.stdin.isTTY) controller.abort();
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  return { signal: controller.signal, release: () => void process.off("SIGINT", stop).off("SIGTERM", stop) };
}
