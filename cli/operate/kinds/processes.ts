import { existsSync, readdirSync, readFileSync } from "node:fs";
import { poll } from "../../../clients/poll";

const read = (file: string): string => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
};

const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

/** Whether this machine shows the processes that another one has started: Linux does. */
export const seesProcesses = (): boolean => existsSync(`/proc/self/task/${process.pid}/children`);

/** A process and all that descend from it. */
function treeOf(pid: string): string[] {
  const children = namesIn(`/proc/${pid}/task`).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(" ").filter(Boolean),
  );
  return [pid, ...children.flatMap(treeOf)];
}

/** How often processes are looked at, in milliseconds. */
const EVERY = 5;

/** Collects the command lines and environments of a process and of all that descend from it, until it is stopped. */
export function watchProcesses(pid: number): { stop(): { lines: Set<string>; environments: Set<string> } } {
  const [lines, environments] = [new Set<string>(), new Set<string>()];
  const look = () => {
    for (const one of treeOf(String(pid))) {
      lines.add(read(`/proc/${one}/cmdline`));
      environments.add(read(`/proc/${one}/environ`));
    }
  };
  look();
  const timer = setInterval(look, EVERY);
  return {
    stop: () => {
      clearInterval(timer);
      return { lines, environments };
    },
  };
}

/** A process's state and the processor time that it has used. */
const stateOf = (pid: string) => {
  // The name in parentheses may have spaces.
  const [state, ...rest] = read(`/proc/${pid}/stat`).split(") ")[1]?.split(" ") ?? [];
  return { state, used: `${rest[10]} ${rest[11]}` };
};

/** How many looks in a row must find the processes waiting. */
const QUIET = 15;

/** Waits until a process and all that descend from it wait for something, such as their input; at most 10 seconds. */
export async function untilQuiet(pid: number): Promise<void> {
  let [before, quiet] = ["", 0];
  const look = () => {
    const found = treeOf(String(pid)).map(stateOf);
    const now = JSON.stringify(found);
    // A process that waits for a processor is `R`, so a busy machine is not taken for a quiet one.
    quiet = now === before && found.every(({ state }) => state === "S") ? quiet + 1 : 0;
    before = now;
    return quiet;
  };
  await poll(look, (count) => count >= QUIET, { every: 20, limit: 10_000 });
}
