import { readdir, readFile } from "node:fs/promises";
import { basename } from "node:path";

/** The memory (MiB) of all processes of one program. */
export interface MemoryOf {
  readonly program: string;
  readonly count: number;
  /** Pages that several processes share count once for each. */
  readonly residentMiB: number;
  /** A page that several processes share counts as a part for each. */
  readonly shareMiB: number;
}

/** What processes had when the sum of their resident memory was largest. */
export interface PeakMemory {
  readonly peakMiB: number;
  readonly shareMiB: number;
  readonly programs: readonly MemoryOf[];
}

/** The memory of the processes with `entry` in their environment at its peak, while `work` goes on. */
export async function withPeakMemory<T>(
  entry: string,
  work: () => Promise<T>,
): Promise<PeakMemory & { readonly result: T }> {
  let peak: readonly MemoryOf[] = [];
  const total = (of: readonly MemoryOf[], part: "residentMiB" | "shareMiB") =>
    of.reduce((sum, one) => sum + one[part], 0);
  const sample = async () => {
    const now = await memoryNow(entry);
    if (total(now, "residentMiB") > total(peak, "residentMiB")) peak = now;
  };
  const result = await sampling(sample, 250, work);
  return { result, peakMiB: total(peak, "residentMiB"), shareMiB: total(peak, "shareMiB"), programs: peak };
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

async function memoryNow(entry: string): Promise<MemoryOf[]> {
  const found = new Map<string, MemoryOf>();
  await Promise.all(
    (await processIds()).map(async (pid) => {
      if (!(await hasEntry(pid, entry))) return;
      const [line, sizes] = await Promise.all([inProc(pid, "cmdline"), inProc(pid, "smaps_rollup")]);
      if (line === "") return;
      const mebibytes = (name: string) =>
        Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(sizes)?.[1] ?? 0) / 1024;
      const program = programOf(line.split("\0"));
      const { count = 0, residentMiB = 0, shareMiB = 0 } = found.get(program) ?? {};
      found.set(program, {
        ...{ program, count: count + 1 },
        ...{ residentMiB: residentMiB + mebibytes("Rss"), shareMiB: shareMiB + mebibytes("Pss") },
      });
    }),
  );
  return [...found.values()].toSorted((a, b) => b.residentMiB - a.residentMiB);
}
