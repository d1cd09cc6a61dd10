import { activeGeneration, previousGeneration } from "../../core/state";
import { startLoad } from "../../dev/lab/load";
import { adviceIn, shell } from "../engine/advice";
import { unwrapped } from "../engine/cli-support";
import { type Sent, signalled } from "../engine/signals";
import { checkFinished, checkUnchanged, judge, lookBetween } from "./crash";
import type { Held } from "./gate";
import type { Expected, Life } from "./life";

/** What an operator runs. */
export const COMMANDS = ["run", "rotate-now", "rollback"] as const;
export type CommandName = (typeof COMMANDS)[number];

/** Who gets which signal. */
export const SIGNALS: readonly Sent[] = [
  { signal: "SIGINT", to: "group" },
  { signal: "SIGTERM", to: "group" },
  { signal: "SIGINT", to: "group", times: 2 },
  { signal: "SIGINT", to: "CLI" },
  { signal: "SIGTERM", to: "CLI" },
  { signal: "SIGINT", to: "engine" },
  { signal: "SIGTERM", to: "engine" },
  { signal: "SIGKILL", to: "group" },
  { signal: "SIGKILL", to: "CLI" },
  { signal: "SIGKILL", to: "engine" },
];

/** A signal at one effect of one command. */
export interface Interruption extends Held {
  readonly command: CommandName;
  readonly sent: Sent;
}

/** Interrupts a command at the point, reads what it says, and runs what it advises. @returns what was not as it must be */
export async function interrupt(life: Life, { command, sent, ...held }: Interruption): Promise<readonly string[]> {
  const { world, readers, secret } = life;
  const expected = await expectedOf(life, command);
  const [rowsBefore, begun] = [(await life.rows()).length, Date.now()];
  const load = await startLoad(world.lab, { loginsPerSecond: 10, alpacaPerSecond: 10, services: readers });
  let reached = false;
  // The world stands still until the signal is sent, so that it comes at this effect and no other.
  let go: () => void = () => undefined;
  world.gate.arm(held, () => {
    reached = true;
    return new Promise((resolve) => {
      go = resolve;
    });
  });
  const reason = command === "run" ? [] : ["--reason", "a test"];
  const stopped = await signalled(
    world,
    [command, secret, ...reason, "--yes"],
    () => reached,
    sent,
    () => go(),
  );
  world.gate.open();
  const problems = [...(await lookBetween(life, await life.stored()))];
  const said = unwrapped(stopped.stdout);
  const silent = sent.signal === "SIGKILL" && sent.to !== "engine";
  if (silent) await follow("rotation diagnose --fix --yes --stack paper");
  else if (stopped.exitCode !== 0) {
    if (said.includes("nothing was changed") && !(await isUntouched(life, expected)))
      problems.push(`not true: ${said}`);
    const wanted = sent.to === "engine" ? 1 : sent.signal === "SIGINT" ? 130 : 143;
    if (stopped.exitCode !== wanted) problems.push(`exit code ${stopped.exitCode}, not ${wanted}: ${said}`);
  }
  // What is advised first finishes it; where nothing was begun, it is the command itself.
  const [advised = `rotation ${command} ${secret} ${reason.join(" ")} --yes --stack paper`] = adviceIn(
    stopped.stdout,
  ).filter((line) => !line.startsWith("#"));
  if (!(await isDone(life, expected))) await follow(advised);
  problems.push(...(await checkFinished(life, expected, rowsBefore)));
  const attempts = await judge(life, begun, await load.stop());
  if (attempts.failed > attempts.excused || attempts.tried === 0)
    problems.push(`attempts: ${JSON.stringify(attempts)}`);
  problems.push(...(await checkUnchanged(life)));
  return problems.map((problem) => `${stopped.stdout}${stopped.stderr}: ${problem}`);

  async function follow(line: string): Promise<void> {
    const { exitCode, stdout, stderr } = await shell(world, line);
    if (exitCode !== 0) problems.push(`${line}: exit ${exitCode}: ${stdout}${stderr}`);
  }
}

async function expectedOf(life: Life, command: CommandName): Promise<Expected> {
  // Without a day on which it is due, `run` has nothing to do.
  if (command !== "rollback") return life.prepare("rotation");
  const state = await life.state();
  if (state === undefined) throw new Error("a command before the adoption");
  const active = Number(previousGeneration(state));
  return { active, row: ["ROLLBACK", active] };
}

async function isDone(life: Life, { active }: Expected): Promise<boolean> {
  const state = await life.state();
  return state !== undefined && activeGeneration(state) === active;
}

/** Whether the store still holds what it held: it names a generation by which login works and which marks it has. */
async function isUntouched(life: Life, expected: Expected): Promise<boolean> {
  return !(await isDone(life, expected)) && (await life.stored()).works === true;
}
