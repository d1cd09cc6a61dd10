import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import type { Writable } from "node:stream";
import { endPulumiProcesses } from "./stack-processes";

// The watchdog: a shell that knows every process and folder of the lab and reads its standard input. However this
// process ends (SIGKILL included), the pipe closes, and the shell ends what is left. It is a session of its own, so that
// Ctrl-C in a terminal does not take it down first.
const SCRIPT = `
processes=; folders=
while read -r op kind value signal; do
  entry="$value:$signal"
  case "$op$kind" in
    +process) processes="$processes $entry" ;;
    -process) kept=; for p in $processes; do [ "$p" = "$entry" ] || kept="$kept $p"; done; processes=$kept ;;
    +folder) folders="$folders $value" ;;
    -folder) kept=; for f in $folders; do [ "$f" = "$value" ] || kept="$kept $f"; done; folders=$kept ;;
  esac
done
for p in $processes; do kill -"\${p#*:}" "\${p%%:*}" 2>/dev/null; done
tries=0
while [ $tries -lt 30 ]; do
  alive=
  for p in $processes; do kill -0 "\${p%%:*}" 2>/dev/null && alive=yes; done
  [ -n "$alive" ] || break
  tries=$((tries + 1)); sleep 0.1
done
for p in $processes; do kill -KILL "\${p%%:*}" 2>/dev/null; done
for f in $folders; do rm -rf -- "$f"; done
`;

interface Guard {
  child: ChildProcess;
  input: Writable;
}

let guard: Guard | undefined;
/** What the guard knows: `process 4711 TERM`, `folder /tmp/lab-x`. */
const entries = new Set<string>();
/** The signal that ends this process: from then on nothing is started any more. */
let ending: NodeJS.Signals | undefined;
/** The exit code after a signal; unless set, the process dies of the signal. */
let expectedExit: number | undefined;

/** The signal that asks a process to end; PostgreSQL waits for its clients on SIGTERM and wants SIGINT. */
export type StopSignal = "TERM" | "INT" | "QUIT";

/**
 * Ends the process (or, with a negative id, the process group) when this one ends, in whatever way.
 * Returns a function that removes it from the list. If this process is already ending, it is killed at once.
 */
export function guardProcess(pid: number, signal: StopSignal): () => void {
  if (ending !== undefined) {
    killAtOnce(pid);
    return () => undefined;
  }
  return register(`process ${pid} ${signal}`);
}

/**
 * Removes the folder, which may be made afterwards, when this process ends. The path must hold no white space.
 *
 * @throws Error if this process is already ending
 */
export function guardFolder(path: string): () => void {
  if (/\s/.test(path))
    throw new Error(`expected a folder without white space in its path, found "${path}"; set TMPDIR`);
  if (ending !== undefined) throw new Error(`expected to make ${path}, found that ${ending} ends this process`);
  return register(`folder ${path}`);
}

/** From now on a signal is the normal end: the process exits with `code` once everything is removed. */
export function expectSignal(code = 0): void {
  expectedExit = code;
}

/** Whether a signal has come, and everything is being removed. */
export const isEnding = (): boolean => ending !== undefined;

function register(entry: string): () => void {
  if (guard === undefined) guard = startGuard();
  const { input } = guard;
  entries.add(entry);
  input.write(`+ ${entry}\n`);
  return () => {
    // After a signal the guard ends what is left.
    if (ending !== undefined || !entries.delete(entry)) return;
    input.write(`- ${entry}\n`);
    if (entries.size === 0) endGuard();
  };
}

function killAtOnce(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

function startGuard(): Guard {
  const child = spawn("/bin/sh", ["-c", SCRIPT], { stdio: ["pipe", "ignore", "ignore"], detached: true, cwd: "/" });
  const input = child.stdin;
  input.on("error", () => undefined);
  child.unref();
  // The pipe alone must not keep this process from ending.
  (input as Writable & { unref?: () => void }).unref?.();
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return { child, input };
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function endGuard(): void {
  guard?.input.end();
  guard = undefined;
  forgetSignals();
}

function forgetSignals(): void {
  for (const signal of SIGNALS) process.off(signal, onSignal);
}

/**
 * Cleans up first and dies of the signal afterwards, so that nothing is left when the caller sees the end. Further signals
 * change nothing: the guard asks each process to end and kills it after three seconds.
 */
async function onSignal(signal: NodeJS.Signals): Promise<void> {
  if (ending !== undefined || guard === undefined) return;
  ending = signal;
  guard.child.ref();
  const ended = once(guard.child, "exit");
  guard.input.end();
  await ended;
  for (const [kind, path] of [...entries].map((entry) => entry.split(" "))) {
    if (kind !== "folder" || path === undefined) continue;
    await endPulumiProcesses(path);
    // A pending write has created the folder again.
    rmSync(path, { recursive: true, force: true });
  }
  if (expectedExit !== undefined) process.exit(expectedExit);
  forgetSignals();
  process.kill(process.pid, signal);
}
