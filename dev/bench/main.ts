import { cpus, totalmem } from "node:os";
import { Command, InvalidArgumentError } from "commander";
import { messageOf } from "../../core/errors";
import { auditBench } from "./audit";
import { markdown, type Outcome } from "./figures";
import { hostsBench } from "./hosts";
import { loginsBench } from "./logins";
import { profileBench } from "./profile";
import { writeSection } from "./proof";
import { rotationBench } from "./rotation";
import { scaleBench } from "./scale";
import { stacksBench } from "./stacks";
import { startupBench } from "./startup";
import { unchangedBench } from "./unchanged";

const say = (text: string) => void process.stderr.write(`${text}\n`);

interface Options {
  readonly sizes: number[];
  readonly perStack: number;
  readonly parallel: number[];
  readonly hosts: number[];
  readonly rounds: number;
  readonly rows: number;
  readonly write: boolean;
  readonly json: boolean;
}

const BENCHES: Readonly<Record<string, (options: Options) => Promise<Outcome>>> = {
  rotation: () => rotationBench(say),
  profile: () => profileBench(say),
  unchanged: () => unchangedBench(say),
  logins: ({ rounds }) => loginsBench(say, rounds),
  scale: ({ sizes }) => scaleBench(say, sizes),
  stacks: ({ sizes, perStack, parallel }) => stacksBench(say, { count: Math.max(...sizes), perStack, parallel }),
  hosts: ({ hosts }) => hostsBench(say, hosts),
  audit: ({ rows }) => auditBench(say, rows),
  startup: () => startupBench(say),
};

const numbers = (text: string): number[] =>
  text.split(",").map((part) => {
    const count = Number(part);
    if (!Number.isInteger(count) || count < 1) {
      throw new InvalidArgumentError(`expected whole numbers above 0, such as 1,10,50, found ${text}`);
    }
    return count;
  });

const count = (text: string): number => numbers(text)[0] as number;

async function bench(names: readonly string[], options: Options): Promise<void> {
  const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
  if (unknown.length > 0) {
    throw new InvalidArgumentError(`expected ${Object.keys(BENCHES).join(", ")}, found ${unknown.join(", ")}`);
  }
  const outcomes: Record<string, Outcome> = {};
  for (const name of names.length > 0 ? names : Object.keys(BENCHES)) {
    const outcome = (await BENCHES[name]?.(options)) as Outcome;
    outcomes[name] = outcome;
    if (!options.json) process.stdout.write(`${markdown(outcome)}\n\n`);
    if (options.write) await writeSection(`bench-${name}`, `${markdown(outcome)}\n\n${machine()}`);
  }
  if (options.json) process.stdout.write(`${JSON.stringify(outcomes)}\n`);
}

/** What the figures were seen on. */
function machine(): string {
  const memory = Math.round(totalmem() / 1024 ** 3);
  return `Measured on ${cpus().length} cores with ${memory} GiB, Node.js ${process.version}, ${new Date().toISOString().slice(0, 10)}.`;
}

const program = new Command("bench")
  .description("Measures the pipeline against the runbook as a script and against an empty Pulumi program.")
  .argument(
    "[name...]",
    `what to measure: ${Object.keys(BENCHES).join(", ")}; default: all (more than three hours, most of it scale)`,
  )
  .option("--sizes <list>", "scale: how many databases; stacks takes the largest", numbers, [1, 10, 50, 100])
  .option("--per-stack <count>", "stacks: how many databases a stack has", count, 10)
  .option("--parallel <list>", "stacks: how many stacks at a time; each number is a rotation of all", numbers, [2])
  .option("--hosts <list>", "hosts: how many hosts behind the service", numbers, [1, 10, 100])
  .option("--rounds <count>", "logins: how many rotations, and as many rollbacks", count, 20)
  .option("--rows <count>", "audit: rows of the log", count, 1_000_000)
  .option("--no-write", "leave docs/proof.md as it is")
  .option("--json", "print the figures as one JSON object", false)
  .addHelpText("after", "\nExample:\n  npm run bench -- rotation unchanged");

program.action(bench);
program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = error instanceof InvalidArgumentError ? 2 : 1;
});
