import { join } from "node:path";
import { execa } from "execa";
import { expect } from "vitest";
import { projectRoot } from "../../cli/toolchain/project";
import { poll } from "../../dev/lab/poll";
import { processesOf } from "../crash/victims";
import type { CommandResult } from "./cli-support";
import { endOrphans } from "./crash-support";
import type { Bench } from "./harness";

/** Whom a signal goes to: the whole process group, as Ctrl-C on a terminal does, or one process. */
export type Addressee = "group" | "CLI" | "engine";

export interface Sent {
  readonly signal: NodeJS.Signals;
  readonly to: Addressee;
  /** How often; a second one is the impatient Ctrl-C. */
  readonly times?: number;
}

const CLI = join(projectRoot(), "dist", "cli", "rotation.mjs");
const ENGINE = /(^|\/)pulumi up /;

/** Runs `rotation` in a process group of its own, and sends a signal once `reached`, which is told its stderr, and then calls `afterwards`; afterwards nothing of it is alive. */
export async function signalled(
  bench: Bench,
  args: readonly string[],
  reached: (said: string) => boolean | Promise<boolean>,
  sent: Sent,
  afterwards: () => void = () => undefined,
): Promise<CommandResult> {
  const { stack } = bench;
  const run = execa(process.execPath, [CLI, ...args, "--stack", stack.name], {
    cwd: stack.projectDir,
    env: stack.env,
    reject: false,
    stdin: "ignore",
    detached: true,
  });
  let said = "";
  run.stderr.on("data", (chunk) => {
    said += chunk;
  });
  let ended = false;
  void run.finally(() => (ended = true));
  await poll(async () => ended || reached(said), { what: "the moment for the signal", limitMs: 200_000, everyMs: 10 });
  if (ended) {
    const { exitCode, stdout, stderr } = await run;
    throw new Error(`${args.join(" ")} ended with ${exitCode} before the signal: ${stdout}${stderr}`);
  }
  for (let time = 0; time < (sent.times ?? 1); time += 1) await send(bench, run.pid ?? 0, sent);
  afterwards();
  const { exitCode, stdout, stderr, signal } = await run;
  // Nobody is left to end what a killed group was about: Pulumi's own language host never notices.
  if (sent.signal === "SIGKILL" && sent.to !== "engine") await endOrphans(bench);
  else await nothingLeft(bench);
  return { exitCode: exitCode ?? (signal === undefined ? -1 : -2), stdout, stderr };
}

async function send(bench: Bench, cli: number, { signal, to }: Sent): Promise<void> {
  const pids =
    to === "group"
      ? [-cli]
      : to === "CLI"
        ? [cli]
        : (await processesOf(bench)).filter(({ command }) => ENGINE.test(command)).map(({ pid }) => pid);
  expect(pids.length, `no ${to}`).toBeGreaterThan(0);
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended in the meantime, which is what a second signal may find.
    }
  }
}

/** Waits until no process of the stack is left. */
async function nothingLeft(bench: Bench): Promise<void> {
  const left = async () => (await processesOf(bench)).filter(({ here }) => here);
  await poll(async () => (await left()).length === 0, { what: "the end of every process", limitMs: 60_000 }).catch(
    async () => expect((await left()).map(({ command }) => command)).toEqual([]),
  );
}
