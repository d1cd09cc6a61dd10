import { readdir, readFile } from "node:fs/promises";

/** The largest sum of resident memory (MiB) of the processes with `entry` in their environment, while `work` goes on. */
export async function withPeakMemory<T>(
  entry: string,
  work: () => Promise<T>,
): Promise<{ result: T; peakMiB: number }> {
  let peakMiB = 0;
  let done = false;
  const sample = async () => {
    while (!done) {
      peakMiB = Math.max(peakMiB, await residentMiB(entry));
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  };
  const sampling = sample();
  try {
    return { result: await work(), peakMiB };
  } finally {
    done = true;
    await sampling;
  }
}

async function residentMiB(entry: string): Promise<number> {
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  const sizes = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      if (!environment.split("\0").includes(entry)) return 0;
      const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
