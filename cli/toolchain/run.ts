import { execa } from "execa";

export interface RunOptions {
  cwd?: string;
  /** The complete environment of the command. */
  env: NodeJS.ProcessEnv;
  /** Milliseconds. Default: 10 s. */
  timeout?: number;
}

const lastLines = (text: string, count: number) => text.trim().split("\n").slice(-count).join("\n");

/**
 * Runs a command without a shell or stdin and returns its stdout.
 * @throws Error naming the command, how it ended and the last lines it printed
 */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<string> {
  const timeout = options.timeout ?? 10_000;
  const result = await execa(command, args, {
    cwd: options.cwd,
    env: options.env,
    extendEnv: false,
    stdin: "ignore",
    timeout,
    reject: false,
    all: true,
    maxBuffer: 20_000_000,
  });
  if (!result.failed) return result.stdout;
  const how = result.timedOut
    ? `did not end within ${timeout / 1000} s`
    : result.exitCode === undefined
      ? `ended by ${result.signal ?? result.code ?? "an unknown cause"}`
      : `exit code ${result.exitCode}`;
  const output = lastLines(result.all ?? "", 15);
  throw new Error(`${[command, ...args.slice(0, 3)].join(" ")}: ${how}${output === "" ? "" : `\n${output}`}`);
}
