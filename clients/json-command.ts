import { spawn } from "node:child_process";
import { constants } from "node:os";

/** What a command printed, apart by stream, and how it ended. */
export interface CommandRun {
  /** The exit status; null if it was ended by its time limit. 128 and more: ended by a signal. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether it printed more than {@link LONGEST_ANSWER} bytes; the rest was dropped. */
  readonly tooLong: boolean;
}

export interface CommandOptions {
  /** Given to its standard input. */
  readonly input: string;
  /** Whether its standard input ends after that. Default true. */
  readonly endInput?: boolean;
  /** The folder in which it runs. Default: this process's. */
  readonly directory?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Milliseconds, from 1 second on. */
  readonly limit: number;
  /** Ends it: SIGTERM, and SIGKILL five seconds later. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the id of the process that all of its processes descend from. */
  readonly onStart?: (pid: number) => void;
}

/** The most bytes of each output stream that are kept. */
export const LONGEST_ANSWER = 64 * 1024;

/** What `timeout` exits with if the command was killed. */
export const KILLED = 137;

/** What `timeout` exits with if the time was over and the command ended by SIGTERM. */
const TIMED_OUT = 124;

/**
 * Runs a shell command on this machine with a text on its standard input, and keeps its two output streams apart. All of
 * its processes are ended when its time is over.
 */
export function runWithInput(command: string, options: CommandOptions): Promise<CommandRun> {
  const { input, endInput = true, directory, env, limit, signal, onStart } = options;
  const seconds = Math.max(Math.ceil(limit / 1000), 1);
  return new Promise((resolve, reject) => {
    const began = performance.now();
    // `timeout` makes a group of its own, and ends all of it.
    const child = spawn("timeout", ["-k", "5", String(seconds), "sh", "-c", command], { cwd: directory, env });
    const stdout = collector();
    const stderr = collector();
    child.stdout.on("data", stdout.add);
    child.stderr.on("data", stderr.add);
    // It may end without reading all of it.
    child.stdin.on("error", () => undefined);
    child.stdin.write(input);
    if (endInput) child.stdin.end();
    const stop = () => child.kill("SIGTERM");
    let hangs = false;
    const overdue = setTimeout(
      () => {
        hangs = true;
        child.kill("SIGKILL");
        // A process that has left the group may hold them open.
        child.stdout.destroy();
        child.stderr.destroy();
      },
      (seconds + 10) * 1000,
    );
    signal?.addEventListener("abort", stop, { once: true });
    child.once("spawn", () => {
      if (signal?.aborted) stop();
      if (child.pid !== undefined) onStart?.(child.pid);
    });
    child.once("error", (error) => {
      clearTimeout(overdue);
      reject(error);
    });
    child.once("close", (code, endedBy) => {
      clearTimeout(overdue);
      signal?.removeEventListener("abort", stop);
      const late = performance.now() - began >= seconds * 1000;
      const status = code ?? 128 + constants.signals[endedBy ?? "SIGKILL"];
      const isOver = hangs || (late && (status === TIMED_OUT || status === KILLED));
      const run = { stdout: stdout.text(), stderr: stderr.text(), tooLong: stdout.isFull() };
      resolve({ status: isOver ? null : status, ...run });
    });
  });
}

function collector() {
  const chunks: Buffer[] = [];
  let length = 0;
  return {
    add: (chunk: Buffer) => {
      if (length < LONGEST_ANSWER) chunks.push(chunk.subarray(0, LONGEST_ANSWER - length));
      length += chunk.length;
    },
    text: () => Buffer.concat(chunks).toString("utf8"),
    isFull: () => length > LONGEST_ANSWER,
  };
}
