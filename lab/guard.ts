import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Writable } from "node:stream";

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
let entries = 0;

/** The signal that asks a process to end; PostgreSQL waits for its clients on SIGTERM and wants SIGINT. */
export type StopSignal = "TERM" | "INT" | "QUIT";

/**
 * Ends the process (or, with a negative id, the process group) when this one ends, in whatever way.
 * Returns what takes it off the list again.
 */
export function guardProcess(pid: number, signal: StopSignal): () => void {
  return register(`process ${pid} ${signal}`);
}

/** Removes the folder when this process ends. The path must hold no white space (a mkdtemp name). */
export function guardFolder(path: string): () => void {
  if (/\s/.test(path))
    throw new Error(`expected a folder without white space in its path, found "${path}"; set TMPDIR`);
  return register(`folder ${path}`);
}

function register(entry: string): () => void {
  if (guard === undefined) guard = startGuard();
  const { input } = guard;
  entries += 1;
  input.write(`+ ${entry}\n`);
  let listed = true;
  return () => {
    if (!listed) return;
    listed = false;
    entries -= 1;
    input.write(`- ${entry}\n`);
    if (entries === 0) endGuard();
  };
}

function startGuard(): Guard {
  const child = spawn("/bin/sh", ["-c", SCRIPT], { stdio: ["pipe", "ignore", "ignore"], detached: true, cwd: "/" });
  const input = child.stdin;
  input.on("error", () => undefined);
  child.unref();
  // The pipe alone must not keep this process from ending.
  (input as Writable & { unref?: () => void }).unref?.();
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  process.on("SIGHUP", onSignal);
  return { child, input };
}

function endGuard(): void {
  guard?.input.end();
  guard = undefined;
  forgetSignals();
}

function forgetSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(signal, onSignal);
}

/** Cleans up first and dies of the signal afterwards, so that nothing is left when the caller sees the end. */
async function onSignal(signal: NodeJS.Signals): Promise<void> {
  forgetSignals();
  if (guard) {
    const ended = once(guard.child, "exit");
    guard.input.end();
    await ended;
  }
  process.kill(process.pid, signal);
}
