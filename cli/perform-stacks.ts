import { createInterface } from "node:readline";
import { execa } from "execa";
import pMap from "p-map";
import { colors } from "./render/colors";
import { runLine } from "./render/run-lines";
import { lineInWords, type StackResult, summary } from "./render/stacks";
import { EXIT, print, printJson } from "./run-command";

export interface ManyStacks {
  readonly stacks: readonly string[];
  /** How many at a time. */
  readonly parallel: number;
  readonly json: boolean;
  /** The arguments of the command line for one stack. */
  readonly wordsOf: (stack: string) => readonly string[];
}

/** The answers of a command that reads, in the order of the stacks. @returns the exit code of the worst */
export async function readStacks({ stacks, parallel, json, wordsOf }: ManyStacks): Promise<number> {
  const answers = await pMap(
    stacks,
    async (stack) => ({ stack, ...ended(await own(wordsOf(stack), { reject: false })) }),
    { concurrency: parallel },
  );
  if (json) {
    printJson(
      answers.map(({ stack, exitCode, stdout, stderr }) => ({
        ...{ stack, exitCode, answer: stdout === "" ? null : (JSON.parse(stdout) as unknown) },
        ...(stderr === "" ? {} : { error: stderr }),
      })),
    );
  } else {
    for (const { stack, stdout, stderr } of answers)
      print(`${colors.bold(`== ${stack}`)}\n${[stdout, stderr].filter((text) => text !== "").join("\n")}\n\n`);
  }
  return worstOf(answers.map(({ exitCode }) => exitCode));
}

const ended = ({ exitCode, signal, stdout, stderr }: Ended) => ({
  exitCode: exitCode ?? (signal === "SIGINT" ? 130 : 143),
  stdout: String(stdout ?? ""),
  stderr: String(stderr ?? ""),
});

interface Ended {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly stdout?: unknown;
  readonly stderr?: unknown;
}

/**
 * Carries out a run of each stack; one that fails stops none of the others. Ctrl-C and SIGTERM end the runs that go on as
 * they would end each alone, and no other begins.
 * @returns the exit code of the worst
 */
export async function runStacks({ stacks, parallel, json, wordsOf }: ManyStacks): Promise<number> {
  const width = Math.max(...stacks.map(({ length }) => length));
  const say = (stack: string, text: string) => {
    for (const line of text.split("\n")) print(`${colors.bold(stack.padEnd(width))} | ${line}`.trimEnd());
  };
  const running = new Set<ReturnType<typeof own>>();
  let stopped = false;
  const stop = (name: NodeJS.Signals) => {
    stopped = true;
    for (const child of running) child.kill(name);
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);

  const run = async (stack: string): Promise<StackResult> => {
    if (stopped) return { stack, exitCode: 130, outcome: "not begun" };
    const began = performance.now();
    const words = wordsOf(stack);
    const child = own(json ? words : [...words, "--json"], { detached: true, reject: false, buffer: false });
    running.add(child);
    let last: StackResult["line"];
    const lines = async () => {
      for await (const text of createInterface({ input: child.stdout })) {
        if (json) print(text);
        const { success, data } = runLine.safeParse(JSON.parse(text));
        if (!success) continue;
        if (data.type === "result") last = data;
        const said = lineInWords(data);
        if (!json && said !== undefined) say(stack, said);
      }
    };
    const errors = async () => {
      for await (const text of createInterface({ input: child.stderr })) {
        if (json) process.stderr.write(`${stack}: ${text}\n`);
        else say(stack, text);
      }
    };
    const [{ exitCode }] = await Promise.all([child.then(ended), lines(), errors()]);
    running.delete(child);
    return {
      stack,
      exitCode,
      seconds: (performance.now() - began) / 1000,
      ...(last === undefined ? {} : { line: last }),
    };
  };

  try {
    const results = await pMap(stacks, run, { concurrency: parallel });
    if (!json) print(`\n${summary(results)}`);
    return worstOf(results.map(({ exitCode }) => exitCode));
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}

/** This command line with other arguments; its secrets are in the environment, as this one's are. */
const own = (
  words: readonly string[],
  options: { readonly reject: false; readonly detached?: true; readonly buffer?: false },
) => execa(process.execPath, [process.argv[1] ?? "", ...words], { stdin: "ignore", ...options });

/** The exit code of many: a failure counts more than wrong use, and that more than what is due. */
export const worstOf = (codes: readonly number[]): number =>
  [EXIT.failed, EXIT.wrongUse, EXIT.due].find((code) => codes.includes(code)) ??
  codes.find((code) => code !== EXIT.fine) ??
  EXIT.fine;
