import type { Request } from "../core/request";
import { quoted } from "../core/shell-word";
import type { JsonLines } from "./json-listener";
import type { RunOptions, RunResult } from "./operate/run-result";
import { type CommonOptions, EXIT, explain, print, projectOf } from "./run-command";
import type { RunPage } from "./run-page";

export interface ActOptions extends CommonOptions {
  readonly yes?: true;
  readonly autoRollback?: true;
  readonly preflight?: boolean;
  readonly force?: true;
  /** A file for a page of the run, rewritten while it goes. */
  readonly page?: string;
}

/**
 * Carries out one run, or one for each request, and prints each result. Stops at the first that fails.
 * @returns the exit code
 */
export async function perform(options: ActOptions, requests: readonly (Request | undefined)[]): Promise<number> {
  const [
    { Run },
    { anchorAfterRun },
    { deliverAfterRun },
    { assertTerminal, interruption, runListener },
    { renderResult },
    { JsonLines },
  ] = await Promise.all([
    import("./operate/run"),
    import("./operate/evidence/anchor"),
    import("./operate/events/deliver"),
    import("./run-listener"),
    import("./render/run"),
    import("./json-listener"),
  ]);
  if (!options.yes) assertTerminal();
  const project = await projectOf(options);
  const { signal, release } = interruption((text) => listener.note(text));
  const page = options.page === undefined ? undefined : await openPage(options.page, (text) => listener.note(text));
  const lines = new JsonLines(project.stack, (line) => {
    if (options.json) printLine(line);
    page?.take(line);
  });
  const isFollowed = options.json === true || page !== undefined;
  const listener = runListener({ ...options, lines: isFollowed ? lines : undefined, signal });
  const results: RunResult[] = [];
  try {
    for (const request of requests) {
      const run = await Run.open(project, listener, runOptions(options, request, signal));
      const result = await run.carryOut();
      await anchorAfterRun(project, (text) => listener.note(text));
      await deliverAfterRun(project, (text) => listener.note(text));
      listener.stop(result.outcome === "interrupted" ? "stopped" : "done");
      results.push(result);
      if (!options.json) print(renderResult(result));
      lines.say({ type: "result", notes: listener.notes.splice(0), ...result });
      if (exitCodeOf(result) !== EXIT.fine) break;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    await explain(error);
    return INTERRUPTED[signal.reason as keyof typeof INTERRUPTED];
  } finally {
    listener.stop("stopped");
    await page?.end();
    release();
  }
  const exitCode = Math.max(...results.map(exitCodeOf));
  return exitCode !== EXIT.fine && signal.aborted ? INTERRUPTED[signal.reason as keyof typeof INTERRUPTED] : exitCode;
}

/** What `--json` prints: a line of JSON for each thing that happens. */
export async function jsonLines(stack: string): Promise<JsonLines> {
  const { JsonLines } = await import("./json-listener");
  return new JsonLines(stack, printLine);
}

const printLine = (line: object) => void process.stdout.write(`${JSON.stringify(line)}\n`);

async function openPage(file: string, failed: (why: string) => void): Promise<RunPage> {
  const { RunPage } = await import("./run-page");
  return RunPage.open(file, failed);
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
