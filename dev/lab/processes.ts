import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { guardProcess, type StopSignal } from "./guard";

/** What to start, and how it is stopped again. */
export interface ProcessOptions {
  command: string;
  args?: readonly string[];
  /** The whole environment; this process's own by default. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** File that both output streams are appended to (created with mode 600). */
  logFile: string;
  /** What asks it to end: TERM by default. */
  signal?: StopSignal;
}

/** A running child of the lab, ended by {@link stop} or, at the latest, with this process. */
export interface ManagedProcess {
  readonly pid: number;
  /** "exit code 1" or "SIGKILL" once it has ended, else undefined. */
  ended(): string | undefined;
  /** Resolves when it has ended, with the same words as {@link ended}. */
  readonly exited: Promise<string>;
  /** Asks it to end, kills it after `graceMs` (5000), and resolves when it is gone. */
  stop(graceMs?: number): Promise<void>;
  /** Ends it without asking. */
  kill(): Promise<void>;
}

/** Starts a process whose output goes to a file. Throws when the command cannot be started. */
export async function startProcess(options: ProcessOptions): Promise<ManagedProcess> {
  const log = openSync(options.logFile, "a", 0o600);
  let child: ChildProcess;
  try {
    child = spawn(options.command, options.args ?? [], {
      env: options.env,
      cwd: options.cwd,
      uid: options.uid,
      gid: options.gid,
      stdio: ["ignore", log, log],
      detached: true,
    });
  } finally {
    closeSync(log);
  }
  const signal = options.signal ?? "TERM";
  // At once: whatever ends this process from here on ends the child too.
  const managed = child.pid === undefined ? undefined : manage(child, child.pid, signal);
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error) => reject(new Error(`cannot start ${options.command}: ${error.message}`)));
  });
  if (managed === undefined) throw new Error(`cannot start ${options.command}`);
  return managed;
}

function manage(child: ChildProcess, pid: number, signal: StopSignal): ManagedProcess {
  const release = guardProcess(pid, signal);
  let state: string | undefined;
  const exited = new Promise<string>((resolve) => {
    child.once("exit", (code, killedBy) => {
      state = killedBy ?? `exit code ${code}`;
      release();
      resolve(state);
    });
  });
  const stop = async (graceMs = 5000): Promise<void> => {
    if (state !== undefined) return;
    child.kill(`SIG${signal}`);
    const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
    await exited;
    clearTimeout(timer);
  };
  const kill = async (): Promise<void> => {
    if (state === undefined) child.kill("SIGKILL");
    await exited;
  };
  return { pid, ended: () => state, exited, stop, kill };
}

/** The last `lines` lines of a log file, for an error message; empty when there is none. */
export function logTail(file: string, lines = 8): string {
  try {
    return readFileSync(file, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "";
  }
}

/** Whether a process with this id runs. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
