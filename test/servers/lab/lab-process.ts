import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Access } from "../../../dev/lab/access";
import { poll } from "../../../dev/lab/poll";

/** `npm run lab` as a process of its own. */
export interface LabProcess {
  readonly child: ChildProcess;
  /** What it printed on stdout so far. */
  readonly stdout: () => string;
  /** All its words so far. */
  readonly stderr: () => string;
  /** The lab's folder, once it is there. */
  readonly folder: () => Promise<string>;
  /** Resolves when it runs a program; at the latest when all is ready, on a machine that was quicker than the look. */
  readonly runs: (command: string) => Promise<string>;
  /** Resolves when it has said how to reach everything. */
  readonly ready: () => Promise<Access>;
  /** How it ended: an exit code, or the signal that it died of. */
  readonly ended: Promise<number | string | null>;
  /** Command lines of processes that name the lab's folder, or run in it. */
  readonly left: () => Promise<string[]>;
  /** Ends it, whatever came before, and removes what a failed test left. */
  readonly remove: () => Promise<void>;
}

/** Starts `npm run lab` (without npm, or with it) in a process group and a folder for temporary files of its own. */
export async function startLabProcess(args: readonly string[], command?: readonly string[]): Promise<LabProcess> {
  const temporary = await mkdtemp(join(tmpdir(), "lab-test-"));
  // PostgreSQL runs as another account than root.
  await chmod(temporary, 0o711);
  const [program = "", ...words] = command ?? [process.execPath, resolve("dist/dev/lab/main.mjs")];
  const child = spawn(program, [...words, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    env: { ...process.env, TMPDIR: temporary },
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (data) => (output.stdout += String(data)));
  child.stderr.on("data", (data) => (output.stderr += String(data)));
  let end: number | string | null | undefined;
  const ended = new Promise<number | string | null>((done) =>
    child.once("exit", (code, signal) => {
      end = code ?? signal;
      done(end);
    }),
  );
  const until = async <T>(what: string, question: () => Promise<T | undefined> | T | undefined): Promise<T> => {
    const found = await poll<{ answer: T } | "ended">(
      async () => {
        const answer = await question();
        if (answer !== undefined) return { answer };
        return end === undefined ? undefined : "ended";
      },
      { what, limitMs: 240_000, everyMs: 5 },
    );
    if (found !== "ended") return found.answer;
    throw new Error(`the lab ended with ${end}: ${output.stderr}`);
  };
  const folders = async () => (await readdir(temporary)).filter((name) => name.startsWith("secret-rotation-lab-"));
  return {
    child,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    folder: () =>
      until("the lab's folder", async () => {
        const [name] = await folders();
        return name === undefined ? undefined : join(temporary, name);
      }),
    runs: (command) =>
      until(command, async () =>
        output.stdout !== "" || (await processesIn(temporary)).some((line) => line.includes(command))
          ? command
          : undefined,
      ),
    ready: () =>
      until("the lab", () => (output.stdout.endsWith("\n") ? (JSON.parse(output.stdout) as Access) : undefined)),
    ended,
    left: async () => [...(await processesIn(temporary)), ...(await folders())],
    remove: async () => {
      if (end === undefined && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      await ended;
      await poll(async () => (await processesIn(temporary)).length === 0, { what: "the lab's end", limitMs: 60_000 });
      await rm(temporary, { recursive: true, force: true });
    },
  };
}

async function processesIn(folder: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const read = (pid: string, file: string) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [command, environment] = [await read(pid, "cmdline"), await read(pid, "environ")];
      return `${command}${environment}`.includes(folder) ? [`${pid} ${command.replaceAll("\0", " ")}`] : [];
    }),
  );
  return found.flat();
}
