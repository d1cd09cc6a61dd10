import { join } from "node:path";
import { execa } from "execa";
import { clockAt, deployStack } from "../lab/deploy";
import type { Lab } from "../lab/lab";
import type { Stack } from "../lab/stack";
import { atMost, type Figure, type Outcome, seconds } from "./figures";
import { memoryFigures } from "./memory";
import { homeOf, PERIOD_DAYS, startTooledLab } from "./platform";
import { type PeakMemory, withPeakMemory } from "./processes";
import { quietPlatform } from "./scale";

/** What `stacks` measures. */
export interface StacksOptions {
  /** How many databases. */
  readonly count: number;
  /** How many databases a stack has. */
  readonly perStack: number;
  /** How many stacks at a time, for a rotation of all for each. */
  readonly parallel: readonly number[];
}

/** The stacks' names, and the pattern for all. */
const STACKS = { name: (part: number) => `part-${String(part).padStart(3, "0")}`, pattern: "part-*" };

/** (d) again, as docs/proof.md advises it for a state in a file or a bucket: a platform of many databases in several stacks. */
export async function stacksBench(
  say: (text: string) => void,
  { count, perStack, parallel }: StacksOptions,
): Promise<Outcome> {
  const { databases, services } = quietPlatform(count);
  const names = Array.from({ length: Math.ceil(count / perStack) }, (_, index) => STACKS.name(index + 1));
  say(`${count} databases: starting them`);
  const { lab, tools } = await startTooledLab({ databases, services });
  try {
    const stacks: Stack[] = [];
    for (const [index, stack] of names.entries()) {
      const chosen = databases.slice(index * perStack, (index + 1) * perStack);
      const only = chosen.map(({ secretName }) => secretName);
      const deployed = await deployStack({ lab, tools, project: "many", stack, only });
      await deployed.configureSecret("notify", JSON.stringify({ slackWebhook: lab.slack.url }));
      // Nobody waits a day for a rotation that is measured.
      await deployed.configure("preflight", { notice: "0s" });
      stacks.push(deployed);
    }
    const [first] = stacks as [Stack];
    const most = Math.max(...parallel);
    const adoption = await rotateAll(first, most);
    say(`first update of ${names.length} stacks, ${most} at a time: ${seconds(adoption.seconds)}`);
    const figures: Figure[] = [];
    const rounds: Rotation[] = [];
    for (const [index, at] of parallel.entries()) {
      for (const stack of stacks) await stack.configure("lab", clockAt((index + 1) * PERIOD_DAYS));
      const round = await rotateAll(first, at);
      await assertRotatedOnce(lab, count, index + 1);
      rounds.push(round);
      const figure = roundFigure(count, at, round);
      figures.push(figure, ...memoryFigures(round));
      say(`${figure.what}: ${figure.measured}`);
    }
    const one = rounds[parallel.indexOf(1)];
    const two = rounds[parallel.indexOf(2)];
    if (one !== undefined && two !== undefined)
      figures.push(
        atMost(
          "two stacks at a time against one after the other, by the clock",
          two.seconds / one.seconds,
          1,
          `${seconds(two.seconds)} / ${seconds(one.seconds)}`,
        ),
      );
    for (const command of ["status", "report", "remind"]) figures.push(await readFigure(first, command, names.length));
    return {
      title: `${count} databases in stacks of ${perStack}`,
      figures,
      notes: [
        `All is \`rotation run --yes --stacks '${STACKS.pattern}'\`, as a user runs it: the first checks, the plan, the update and its proof.`,
        "After each run the audit log has one row for each database, with its next generation.",
        "Each stack has a state of its own and writes into the one audit log. All databases and services run the whole time, on this machine.",
      ],
    };
  } finally {
    await lab.stop();
  }
}

interface Rotation extends PeakMemory {
  readonly seconds: number;
  /** Of all processes that the command started, whether it waited for them itself or one of its children did. */
  readonly cpuSeconds: number;
}

/** `rotation run` of all stacks. @throws Error with its output if one fails */
async function rotateAll(stack: Stack, parallel: number): Promise<Rotation> {
  const words = ["run", "--yes", "--stacks", STACKS.pattern, "--parallel", String(parallel)];
  const { result, ...memory } = await withPeakMemory(homeOf(stack), () => rotation(stack, words));
  return { ...memory, seconds: result.seconds, cpuSeconds: result.cpuSeconds };
}

/** Runs `rotation` in a shell that then prints what its children used. */
async function rotation(stack: Stack, words: readonly string[], codes: readonly number[] = [0]) {
  const started = performance.now();
  const command = [process.execPath, join(stack.projectDir, "dist/cli/rotation.mjs"), ...words];
  const { exitCode, stdout, stderr } = await execa(
    "sh",
    ["-c", '"$@"; code=$?; times >&2; exit $code', "sh", ...command],
    { cwd: stack.projectDir, env: { ...stack.env }, stdin: "ignore", reject: false, maxBuffer: 2 ** 30 },
  );
  const took = (performance.now() - started) / 1000;
  if (exitCode === undefined || !codes.includes(exitCode))
    throw new Error(`rotation ${words.join(" ")} ended with ${exitCode}:\n${stdout}\n${stderr}`);
  const times = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/.exec(stderr)?.slice(1).map(Number) ?? [];
  const [minutes = 0, user = 0, systemMinutes = 0, system = 0] = times;
  return { stdout, seconds: took, cpuSeconds: (minutes + systemMinutes) * 60 + user + system };
}

/** @throws Error unless every database has been rotated `rounds` times, each time to its next generation */
async function assertRotatedOnce(lab: Lab, count: number, rounds: number): Promise<void> {
  const { rows } = await lab.postgres.query(
    "SELECT secret_name, array_agg(generation ORDER BY generation)::text AS found FROM secret_rotation_log WHERE action = 'ROTATE' AND status = 'SUCCESS' GROUP BY secret_name",
  );
  // Generation 1 is the first that this program makes, when it adopts the database.
  const expected = `{${Array.from({ length: rounds }, (_, index) => index + 2).join(",")}}`;
  const wrong = rows.filter(({ found }) => found !== expected);
  if (rows.length === count && wrong.length === 0) return;
  throw new Error(
    `expected ${count} databases with rotations to ${expected}, found ${rows.length}; others: ${JSON.stringify(wrong)}`,
  );
}

const roundFigure = (count: number, at: number, { seconds: took, cpuSeconds }: Rotation): Figure => ({
  what: `rotation of all ${count}, ${at === 1 ? "one stack after the other" : `${at} stacks at a time`}`,
  measured: `${seconds(took)}, processor ${seconds(cpuSeconds)}; ${seconds(took / count)} a database`,
});

async function readFigure(stack: Stack, command: string, stacks: number): Promise<Figure> {
  // `remind` says with 1 that something is due soon.
  const { stdout, seconds: took } = await rotation(stack, [command, "--stacks", STACKS.pattern, "--json"], [0, 1]);
  const answers = JSON.parse(stdout) as { readonly answer: unknown }[];
  const found = answers.filter(({ answer }) => answer !== null).length;
  if (found !== stacks) throw new Error(`${command}: expected the answers of ${stacks} stacks, found ${found}`);
  return { what: `\`rotation ${command}\` over ${stacks} stacks`, measured: seconds(took) };
}
