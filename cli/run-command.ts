import { type Command, InvalidArgumentError } from "commander";
import { messageOf } from "../core/errors";
import type { Project } from "./operate/project";

/** Exit codes of every command. */
export const EXIT = { fine: 0, failed: 1, wrongUse: 2, due: 3 } as const;

/** The exit code of many: a failure counts more than wrong use, and that more than what is due. */
export const worstOf = (codes: readonly number[]): number =>
  [EXIT.failed, EXIT.wrongUse, EXIT.due].find((code) => codes.includes(code)) ??
  codes.find((code) => code !== EXIT.fine) ??
  EXIT.fine;

/** Options of every command. */
export interface CommonOptions {
  readonly stack?: string;
  readonly cwd?: string;
  readonly json?: true;
}

/**
 * Adds the options of every command, and an example for its help.
 * @param many whether it can be carried out for many stacks (`carryOutForStacks`)
 */
export function common(command: Command, example: string, many: "stacks" | undefined = undefined): Command {
  if (many === "stacks")
    command
      .option("--stacks <pattern>", "instead of --stack: all that have a settings file and match, such as 'prod-*'")
      .option("--parallel <count>", "how many of --stacks at a time", count, 1);
  return command
    .option("-s, --stack <name>", "the stack, such as paper or prod (default: the selected one)")
    .option("-C, --cwd <folder>", "the project's folder (default: this one)")
    .option("--json", "print JSON")
    .addHelpText("after", `\nExample:\n${example.replace(/^/gm, "  ")}`);
}

function count(text: string): number {
  if (!/^[1-9]\d?$/.test(text)) throw new InvalidArgumentError("expected a number from 1 to 99.");
  return Number(text);
}

/** The project and stack that the options name. @throws UsageError */
export async function projectOf({ cwd, stack }: CommonOptions): Promise<Project> {
  const { openProject } = await import("./operate/project");
  return openProject(cwd ?? process.cwd(), stack, process.env);
}

/** Prints the answer of a command. */
export function print(text: string): void {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));

const WRONG_USE = new Set(["UsageError", "ConfigError", "RequestRefusedError", "CommanderError"]);

/** An error's message: never a stack trace, never a secret of the environment. */
export async function messageFor(error: unknown): Promise<string> {
  const { redact } = await import("../core/redact");
  const { environmentSecrets } = await import("../clients/environment-secrets");
  return redact(messageOf(error), environmentSecrets(process.env));
}

/** Prints an error and returns the exit code. */
export async function explain(error: unknown): Promise<number> {
  process.stderr.write(`error: ${await messageFor(error)}\n`);
  if (process.env.ROTATION_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return error instanceof Error && WRONG_USE.has(error.name) ? EXIT.wrongUse : EXIT.failed;
}
