import type { Request } from "../core/request";
import { quoted } from "../core/shell-word";
import type { RunOptions, RunResult } from "./operate/run-result";
import { type CommonOptions, EXIT, explain, print, printJson, projectOf } from "./run-command";

export interface ActOptions extends CommonOptions {
  readonly yes?: true;
  readonly autoRollback?: true;
  readonly preflight?: boolean;
  readonly force?: true;
}

/**
 * Carries out one run, or one for each request, and prints each result. Stops at the first that fails.
 * @returns the exit code
 */
export async function perform(options: ActOptions, requests: readonly (Request | undefined)[]): Promise<number> {
  const [{ Run }, { assertTerminal, interruption, runListener }, { renderResult }] = await Promise.all([
    import("./operate/run"),
    import("./run-listener"),
    import("./render/run"),
  ]);
  if (!options.yes) assertTerminal();
  const project = await projectOf(options);
  const { signal, release } = interruption((text) => listener.note(text));
  const listener = runListener({ ...options, signal });
  const results: (RunResult & { readonly notes: readonly string[] })[] = [];
  try {
    for (const request of requests) {
      const run = await Run.open(project, listener, runOptions(options, request, signal));
      const result = await run.carryOut();
      listener.stop(result.outcome === "interrupted" ? "stopped" : "done");
      // With --json the notes are in the answer: stderr may not be read.
      results.push({ ...result, notes: listener.notes.splice(0) });
      if (!options.json) print(renderResult(result));
      if (exitCodeOf(result) !== EXIT.fine) break;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    await explain(error);
    return INTERRUPTED[signal.reason as keyof typeof INTERRUPTED];
  } finally {
    listener.stop("stopped");
    release();
  }
  if (options.json) printJson(results.length === 1 ? results[0] : results);
  const exitCode = Math.max(...results.map(exitCodeOf));
  return exitCode !== EXIT.fine && signal.aborted ? INTERRUPTED[signal.reason as keyof typeof INTERRUPTED] : exitCode;
}

function runOptions(
  { autoRollback, preflight, yes }: ActOptions,
  request: Request | undefined,
  signal: AbortSignal,
): RunOptions {
  return {
    signal,
    yes: yes === true,
    command: ["rotation", ...process.argv.slice(2).map(quoted)].join(" "),
    ...(request === undefined ? {} : { request }),
    ...(autoRollback === undefined ? {} : { autoRollback }),
    ...(preflight === undefined ? {} : { preflight }),
  };
}

function exitCodeOf({ outcome }: RunResult): number {
  return outcome === "done" || outcome === "nothing to do" ? EXIT.fine : EXIT.failed;
}

/** The exit code that a shell reports for a command ended by a signal. */
const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 } as const;

/** What `--force` adds to a request. */
export const forced = ({ force }: ActOptions): Pick<Request, "force"> => (force === undefined ? {} : { force });

/** A new request's id. */
export const requestId = (what: string): string => `${what}-${new Date().toISOString()}`;
