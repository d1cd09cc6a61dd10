import { join } from "node:path";
import { execa } from "execa";
import { projectRoot } from "../../cli/toolchain/project";
import type { Bench } from "./harness";

/**
 * A terminal of 80 columns: for each (prompt, answer), waits for the prompt and types the answer. What was shown goes to
 * stdout, the command's exit code is its own.
 */
const TERMINAL = `
import fcntl, json, os, pty, select, struct, sys, termios, time
command, answers = json.loads(sys.stdin.read())
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 80, 0, 0))
    os.execvp(command[0], command)
seen, done, end = b"", 0, time.time() + 240
while time.time() < end:
    if select.select([terminal], [], [], 0.2)[0]:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            break
        if not chunk:
            break
        seen += chunk
        if answers and answers[0][0].encode() in seen[done:]:
            done = len(seen)
            os.write(terminal, (answers.pop(0)[1] + "\\r").encode())
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

interface OnTerminal {
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string>>;
  /** `[prompt, what is typed]` */
  readonly answers?: readonly (readonly [string, string])[];
}

/** Runs a command on a terminal. */
export async function onATerminal(
  command: readonly string[],
  { cwd, env, answers = [] }: OnTerminal,
): Promise<{ readonly exitCode: number; readonly shown: string }> {
  const { stdout, exitCode } = await execa("python3", ["-c", TERMINAL], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...env, TERM: "xterm", NO_COLOR: "" },
    input: JSON.stringify([command, answers]),
    reject: false,
  });
  return { exitCode: exitCode ?? -1, shown: stdout };
}

/** Runs `rotation` on a terminal; answers are `[prompt, what is typed]`. */
export function onTerminal({ stack }: Bench, args: readonly string[], answers: OnTerminal["answers"] = []) {
  const command = [process.execPath, join(projectRoot(), "dist/cli/rotation.mjs"), ...args, "--stack", stack.name];
  return onATerminal(command, { cwd: stack.projectDir, env: stack.env, answers });
}
