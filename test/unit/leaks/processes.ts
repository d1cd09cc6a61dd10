import { readdir, readFile } from "node:fs/promises";
import { pause } from "../../../dev/lab/poll";

/** How often a new process is looked at: between fork and exec it still shows its parent's command line. */
const LOOKS = 5;

/** What the processes of this machine showed while they were watched. */
export interface Seen {
  readonly commandLines: string;
  /** Their environments, an entry a line. */
  readonly environments: string;
  /** Different command lines. */
  readonly count: number;
}

/** Watches until it is stopped; Linux alone shows what there is to see. */
export interface ProcessWatch {
  /** Looks once more and says what was seen so far. */
  look(): Promise<Seen>;
  stop(): Promise<Seen>;
}

/** Looks at the command line and the environment of every process. @param everyMs 20 by default */
export function watchProcesses(everyMs = 20): ProcessWatch {
  const [commandLines, environments] = [new Set<string>(), new Set<string>()];
  let looks = new Map<string, number>();
  const look = async (): Promise<void> => {
    const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
    const before = looks;
    looks = new Map(pids.map((pid) => [pid, (before.get(pid) ?? 0) + 1]));
    for (const pid of pids.filter((found) => (looks.get(found) ?? 0) <= LOOKS)) {
      commandLines.add(await read(pid, "cmdline", " "));
      for (const entry of (await read(pid, "environ", "\n")).split("\n")) environments.add(entry);
    }
  };
  // Megabytes, once a suite has run for a while: not put together at every look.
  const seen = async (): Promise<Seen> => {
    await look();
    const join = (texts: Set<string>) => [...texts].join("\n");
    return { commandLines: join(commandLines), environments: join(environments), count: commandLines.size };
  };
  let running = true;
  const watching = (async () => {
    for (; running; await pause(everyMs)) await look();
  })();
  return {
    look: seen,
    stop: async () => {
      running = false;
      await watching;
      return seen();
    },
  };
}

async function read(pid: string, file: "cmdline" | "environ", separator: string): Promise<string> {
  const text = await readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
  return text.replaceAll("\0", separator);
}
