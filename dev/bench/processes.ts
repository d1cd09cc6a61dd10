import { readdir, readFile } from "node:fs/promises";
import { basename } from "node:path";

/** The largest sum of resident memory (MiB) of the processes with `entry` in their environment, while `work` goes on. */
export async function withPeakMemory<T>(
  entry: string,
  work: () => Promise<T>,
): Promise<{ result: T; peakMiB: number }> {
  let peakMiB = 0;
  const sample = async () => {
    peakMiB = Math.max(peakMiB, await residentMiB(entry));
  };
  return { result: await sampling(sample, 500, work), peakMiB };
}

/** What processes did on a processor, in seconds: their own, and that of the children that they waited for. */
export interface ProcessorTime {
  /** The program that ran, without its folder: of Node.js and shells, what they ran. */
  readonly program: string;
  readonly own: number;
  readonly children: number;
}

/** Clock ticks of the kernel a second, as /proc shows them on every Linux. */
const TICKS = 100;

/**
 * The processor time of each process with `entry` in its environment, while `work` goes on. Up to 50 ms of each process's end
 * are missed; what a parent has waited for is complete.
 */
export async function withProcessorTime<T>(
  entry: string,
  work: () => Promise<T>,
): Promise<{ result: T; used: ProcessorTime[] }> {
  const isOurs = new Map<string, boolean>();
  const used = new Map<string, ProcessorTime>();
  const sample = async () => {
    for (const pid of await processIds()) {
      const ours = isOurs.get(pid) ?? (await hasEntry(pid, entry));
      isOurs.set(pid, ours);
      const [stat, line] = ours ? await Promise.all([inProc(pid, "stat"), inProc(pid, "cmdline")]) : ["", ""];
      const [, numbers] = /\) (.*)$/s.exec(stat) ?? [];
      if (numbers === undefined || line === "") continue;
      const [user, system, childUser, childSystem] = numbers.split(" ").slice(11, 15).map(Number);
      const seconds = (a = 0, b = 0) => (a + b) / TICKS;
      used.set(pid, {
        program: programOf(line.split("\0")),
        own: seconds(user, system),
        children: seconds(childUser, childSystem),
      });
    }
  };
  return { result: await sampling(sample, 50, work), used: [...used.values()] };
}

/** Calls `sample` again and again, `pause` milliseconds apart, while `work` goes on. */
async function sampling<T>(sample: () => Promise<void>, pause: number, work: () => Promise<T>): Promise<T> {
  let done = false;
  const samples = async () => {
    while (!done) {
      await sample();
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  };
  const running = samples();
  try {
    return await work();
  } finally {
    done = true;
    await running;
  }
}

/** What a command line runs: `pulumi-resource-random`, `preflight.mjs`. */
function programOf(line: readonly string[]): string {
  const words = line.filter((word) => !word.startsWith("-"));
  const [first = "", second = ""] = words.map((word) => basename(word));
  const plugin = words.find((_, index) => words[index - 1]?.endsWith("plugins/main.mjs"));
  if (plugin !== undefined) return `pulumi-resource-${plugin}`;
  return first === "node" && second !== "" ? second : first;
}

const processIds = async () => (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));

/** A file of a process; empty if it has ended. */
const inProc = (pid: string, file: string) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");

const hasEntry = async (pid: string, entry: string) => (await inProc(pid, "environ")).split("\0").includes(entry);

async function residentMiB(entry: string): Promise<number> {
  const sizes = await Promise.all(
    (await processIds()).map(async (pid) => {
      if (!(await hasEntry(pid, entry))) return 0;
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(await inProc(pid, "status"))?.[1] ?? 0) / 1024;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
