import { readdir, readFile } from "node:fs/promises";
import { poll } from "../../clients/poll";

/** How long a process may take to end after SIGTERM, and again after SIGKILL, in milliseconds. */
const LIMIT_MS = 5000;
const EVERY_MS = 50;

/**
 * Ends every process that has this entry in its environment, first with SIGTERM, then with SIGKILL. Without `/proc`, as
 * on macOS, it finds none.
 * @returns how many there were
 */
export async function endMarked(name: string, value: string): Promise<number> {
  const entry = `${name}=${value}`;
  const found = await marked(entry);
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const endAll = async () => {
      const alive = await marked(entry);
      for (const pid of alive) send(pid, signal);
      return alive.length;
    };
    await poll(endAll, (alive) => alive === 0, { limit: LIMIT_MS, every: EVERY_MS });
  }
  return found.length;
}

async function marked(entry: string): Promise<number[]> {
  const pids = (await readdir("/proc").catch(() => [])).map(Number).filter((pid) => pid > 0 && pid !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      // Empty for a zombie.
      const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      return environment.split("\0").includes(entry) ? [pid] : [];
    }),
  );
  return found.flat();
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended in the meantime.
  }
}
