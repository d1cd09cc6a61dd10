import type { RunOptions, RunResult } from "../operate/run-result";
import type { Request } from "../rotation/request";
import { type CommonOptions, EXIT, print, printJson, projectOf } from "./run-command";

export interface ActOptions extends CommonOptions {
  readonly yes?: true;
  readonly autoRollback?: true;
  readonly preflight?: boolean;
  readonly force?: true;
}

/**
 * Carries out one run, or one a request, and prints how each ended. Stops at the first that did not succeed.
 * @returns the exit code
 */
export async function perform(options: ActOptions, requests: readonly (Request | undefined)[]): Promise<number> {
  const [{ Run }, { assertTerminal, interruption, runListener }, { renderResult }] = await Promise.all([
    import("../operate/run"),
    import("./run-listener"),
    import("./render/run"),
  ]);
  if (!options.yes) assertTerminal();
  const project = await projectOf(options);
  const listener = runListener(options);
  const { signal, release } = interruption((text) => listener.note(text));
  const results: (RunResult & { readonly notes: readonly string[] })[] = [];
  try {
    for (const request of requests) {
      const run = await Run.open(project, listener);
      const result = await run.carryOut(runOptions(options, request, signal));
      listener.stop();
      // What was found and mended on the way belongs to the answer where nobody reads stderr.
      results.push({ ...result, notes: listener.notes.splice(0) });
      if (!options.json) print(renderResult(result));
      if (exitCodeOf(result) !== EXIT.fine) break;
    }
  } finally {
    listener.stop();
    release();
  }
  if (options.json) printJson(results.length === 1 ? results[0] : results);
  return Math.max(...results.map(exitCodeOf));
}

function runOptions(
  { autoRollback, preflight }: ActOptions,
  request: Request | undefined,
  signal: AbortSignal,
): RunOptions {
  return {
    signal,
    ...(request === undefined ? {} : { request }),
    ...(autoRollback === undefined ? {} : { autoRollback }),
    ...(preflight === undefined ? {} : { preflight }),
  };
}

function exitCodeOf({ outcome }: RunResult): number {
  return outcome === "done" || outcome === "nothing to do" ? EXIT.fine : EXIT.failed;
}

/** The part of a request that `--force` makes. */
export const forced = ({ force }: ActOptions): Pick<Request, "force"> => (force === undefined ? {} : { force });

/** An id that no earlier request has. */
export const requestId = (what: string): string => `${what}-${new Date().toISOString()}`;
