import { execa } from "execa";

export interface RunOptions {
  cwd?: string;
  /** The complete environment of the command. */
  env: NodeJS.ProcessEnv;
  /** Milliseconds. Default: none, or 10 s for {@link run}. */
  timeout?: number;
}

/**
 * Runs a command without a shell, and with `input` (default: nothing) on its stdin. Does not throw if the command fails.
 */
export const execute = (
  command: string,
  args: readonly string[],
  { cwd, env, timeout, input }: RunOptions & { readonly input?: string | undefined },
) =>
  execa(command, args, {
    cwd,
    env,
    extendEnv: false,
    ...(input === undefined ? { stdin: "ignore" } : { input }),
    timeout,
    reject: false,
    all: true,
  });

const lastLines = (text: string, count: number) => text.trim().split("\n").slice(-count).join("\n");

/**
 * Runs a command without a shell or stdin and returns its stdout.
 * @throws Error naming the command, how it ended and the last lines it printed
 */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<string> {
  const { timeout = 10_000 } = options;
  const result = await execute(command, args, { ...options, timeout });
  if (!result.failed) return result.stdout;
  const how = result.timedOut
    ? `did not end within ${timeout / 1000} s`
    : result.exitCode === undefined
      ? `ended by ${result.signal ?? result.code ?? "an unknown cause"}`
      : `exit code ${result.exitCode}`;
  const output = lastLines(result.all ?? "", 15);
  throw new Error(`${[command, ...args.slice(0, 3)].join(" ")}: ${how}${output === "" ? "" : `\n${output}`}`);
}
