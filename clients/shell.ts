import { spawn } from "node:child_process";
import { Duplex, PassThrough, type Readable } from "node:stream";
import { quoted } from "../core/shell-word";

/** What a command printed, standard output and error together, and how it ended. */
export interface Ran {
  /** The exit status; null if it was ended by its time limit or by a signal. */
  readonly status: number | null;
  readonly output: string;
}

/** Runs a POSIX shell script somewhere, with a time limit in milliseconds. What the script prints is not an error. */
export type RunScript = (script: string, limit: number) => Promise<Ran>;

/** What the `timeout` command exits with after a time limit: by itself, and if the command had to be killed. */
const TIMED_OUT = [124, 137];

/**
 * Runs a shell command with a time limit in seconds: enforced where it runs, and here if that place does not answer. In a
 * shell of its own, so that a command of several parts (`rollout restart ... && rollout status ...`) ends as a whole.
 *
 * @returns status null if its time was over
 */
export async function runLimited(run: RunScript, command: string, seconds: number): Promise<Ran> {
  const { status, output } = await run(`timeout -k 5 ${seconds} sh -c ${quoted(command)}`, (seconds + 15) * 1000);
  return { status: status !== null && TIMED_OUT.includes(status) ? null : status, output };
}

/** How much of a command's output is kept, in characters. */
export const LONGEST_OUTPUT = 8 * 1024 * 1024;

/**
 * Runs on this machine, with this process's environment or the given one. What the script starts ends with this process's
 * group, as when an update is cancelled.
 */
export const shellHere =
  (env: NodeJS.ProcessEnv = process.env): RunScript =>
  (script, limit) =>
    new Promise((resolve, reject) => {
      const child = spawn("/bin/sh", ["-s"], { env, stdio: ["pipe", "pipe", "pipe"] });
      child.stdin.on("error", () => undefined);
      // Not as an argument, whose length is limited.
      child.stdin.end(`(\n${script}\n) </dev/null 2>&1\n`);
      const chunks: Buffer[] = [];
      let length = 0;
      const collect = (chunk: Buffer) => {
        if (length < LONGEST_OUTPUT) chunks.push(chunk);
        length += chunk.length;
      };
      const end = (status: number | null) => {
        clearTimeout(timer);
        resolve({ status, output: Buffer.concat(chunks).toString("utf8") });
      };
      const timer = setTimeout(() => {
        child.kill("SIGKILL");
        // Processes that the shell has started may hold them open.
        child.stdout.destroy();
        child.stderr.destroy();
        end(null);
      }, limit);
      child.stdout.on("data", collect);
      child.stderr.on("data", collect);
      child.on("error", reject);
      child.on("close", end);
    });

/** The standard input and output of a command on this machine. */
export function pipeHere(command: string): Duplex {
  const child = spawn("/bin/sh", ["-c", command], { stdio: ["pipe", "pipe", "pipe"] });
  // What is written to a command that has ended is no error of its own: what the command said is.
  const input = new PassThrough();
  child.stdin.on("error", () => undefined);
  input.pipe(child.stdin);
  const stream = Duplex.from({ readable: child.stdout, writable: input });
  tellEnd(stream, child.stderr, child);
  child.on("error", (error) => stream.destroy(error));
  stream.once("close", () => child.kill());
  return stream;
}

/** If the command closes before its user ends the stream, the error is what it said. */
export function tellEnd(stream: Duplex, errors: Readable, command: NodeJS.EventEmitter): void {
  let said = "";
  errors.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString("utf8")).slice(-300);
  });
  // Its user may not listen yet, or no more.
  stream.on("error", () => undefined);
  command.once("close", () => {
    if (!stream.writableEnded)
      stream.emit("error", new Error(`the command ended: ${said.trim() || "it said nothing"}`));
  });
}
