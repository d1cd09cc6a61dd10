import type { Command } from "commander";
import { quoted } from "../core/shell-word";
import { UsageError } from "./operate/errors";
import type { CommonOptions } from "./run-command";

/** Options of a command that can be carried out for many stacks. */
export interface StacksOptions extends CommonOptions {
  readonly stacks?: string;
  readonly parallel: number;
  readonly yes?: true;
  readonly out?: string;
  readonly page?: string;
}

/**
 * With `--stacks`, carries a command out for each stack, in a process of its own.
 * @returns the exit code of the worst; undefined without `--stacks`
 */
export async function carryOutForStacks(command: Command): Promise<number | undefined> {
  const options = command.opts<StacksOptions>();
  // A schedule of many stacks is one answer.
  if (options.stacks === undefined || command.parent?.name() === "schedule") return undefined;
  if (options.stack !== undefined) throw new UsageError("expected --stack or --stacks, found both");
  for (const name of ["out", "page"] as const)
    if (options[name]?.includes(STACK) === false)
      throw new UsageError(`--${name}: expected ${STACK} in the file's name, since each stack has its own`);
  const [{ stacksOf }, { readStacks, runStacks }] = await Promise.all([
    import("./operate/stacks"),
    import("./perform-stacks"),
  ]);
  const stacks = stacksOf(options.cwd ?? process.cwd(), options.stacks);
  const many = { stacks, parallel: options.parallel, json: options.json === true, wordsOf };
  if (command.name() !== "run") return readStacks(many);
  if (options.yes) return runStacks(many);
  throw new UsageError(
    `--stacks: runs of several stacks do not ask; see \`rotation plan --stacks ${quoted(options.stacks)}\`, then add --yes`,
  );
}

/** Stands for the stack's name in `--out`. */
const STACK = "{stack}";

/** This process's own arguments for one stack. */
function wordsOf(stack: string): string[] {
  const words = process.argv.slice(2);
  const own = words.filter(
    (word, at) => !/^--(stacks|parallel)(=|$)/.test(word) && !/^--(stacks|parallel)$/.test(words[at - 1] ?? ""),
  );
  return [...own.map((word) => word.replaceAll(STACK, stack)), "--stack", stack];
}
