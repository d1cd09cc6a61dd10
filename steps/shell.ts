import { spawn } from "node:child_process";

/** What a command said, standard output and error together, and how it ended. */
export interface Ran {
  /** The exit status; null where it was ended by its time limit or by a signal. */
  readonly status: number | null;
  readonly output: string;
}

/** Runs a POSIX shell script somewhere, and ends it after so many milliseconds. What the script prints is not an error. */
export type RunScript = (script: string, limit: number) => Promise<Ran>;

/** More is not kept of what a command says. In characters. */
export const LONGEST_OUTPUT = 8 * 1024 * 1024;

/** On this machine, with this process's environment, or another. */
export const shellHere =
  (env: NodeJS.ProcessEnv = process.env): RunScript =>
  (script, limit) =>
    new Promise((resolve, reject) => {
      // A group of its own, so that the limit ends what the script started as well.
      const child = spawn("/bin/sh", ["-s"], { env, stdio: ["pipe", "pipe", "pipe"], detached: true });
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
        process.off("exit", kill);
        resolve({ status, output: Buffer.concat(chunks).toString("utf8") });
      };
      const kill = () => {
        if (child.pid !== undefined && child.exitCode === null) killGroup(child.pid);
      };
      const timer = setTimeout(() => {
        kill();
        // What left the group may hold the pipes open.
        child.stdout.destroy();
        child.stderr.destroy();
        end(null);
      }, limit);
      process.once("exit", kill);
      child.stdout.on("data", collect);
      child.stderr.on("data", collect);
      child.on("error", reject);
      child.on("close", end);
    });

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself in the meantime.
  }
}
