import { execa, execaSync } from "execa";

interface Given {
  /** `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What is typed. */
  readonly input?: string;
  readonly cwd?: string;
}

/** A command as a person gives it to a shell. Its input comes from a pipe: Node.js gives a socket, which /dev/stdin cannot open. */
export async function inShell(
  line: string,
  { env = {}, input = "", cwd }: Given = {},
): Promise<{ readonly code: number; readonly said: string }> {
  const { exitCode, all } = await execa("sh", ["-c", 'cat | sh -c "$1"', "sh", line], {
    ...{ env, input, reject: false, all: true },
    ...(cwd === undefined ? {} : { cwd }),
  });
  return { code: exitCode ?? -1, said: all };
}

/** Whether this machine has a program. */
export const isThere = (program: string): boolean =>
  execaSync("sh", ["-c", `command -v ${program}`], { reject: false }).exitCode === 0;
