import { readdirSync, readFileSync } from "node:fs";
import { poll } from "./poll";

/** A process that runs for a stack below a folder. */
export interface StackProcess {
  readonly pid: number;
  readonly command: string;
}

/** What outlives an engine that was killed: a language host for good, a plugin for five minutes. */
const LEFT = /pulumi-(resource|language)-|plugins\/main\.mjs /;

export const isLeftByEngine = (command: string): boolean => LEFT.test(command);

/** Processes that Pulumi started for a stack below `dir`, in an environment that says so (Linux). */
export function pulumiProcesses(dir: string): StackProcess[] {
  return pids().flatMap((pid) => {
    if (!read(pid, "environ").includes(`\0PULUMI_HOME=${dir}/`)) return [];
    const command = read(pid, "cmdline").replaceAll("\0", " ");
    return isLeftByEngine(command) ? [{ pid, command }] : [];
  });
}

/** Ends the processes below `dir` that killed engines left behind, and no others. */
export async function endPulumiProcesses(dir: string): Promise<void> {
  await poll(
    () => {
      const left = pulumiProcesses(dir);
      for (const { pid } of left) kill(pid);
      return left.length === 0;
    },
    { what: "the end of Pulumi's plugins", limitMs: 60_000 },
  );
}

function pids(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function read(pid: number, file: string): string {
  try {
    return `\0${readFileSync(`/proc/${pid}/${file}`, "utf8")}`;
  } catch {
    return "";
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended in the meantime.
  }
}
