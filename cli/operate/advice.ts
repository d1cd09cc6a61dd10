import { relative } from "node:path";
import { quoted } from "../../core/shell-word";
import type { Project } from "./project";

/** The stack that advice is for. */
type Reader = Pick<Project, "dir" | "stack">;

/** The options with which a command of `rotation` or `pulumi` finds this stack from `cwd`. */
function place({ dir, stack }: Reader, folderOption: "--cwd" | "-C", cwd = process.cwd()): string {
  const inside = !relative(dir, cwd).startsWith("..");
  return `--stack ${quoted(stack)}${inside ? "" : ` ${folderOption} ${quoted(dir)}`}`;
}

/** A command of `rotation` for this stack, ready to be copied. */
export const rotationCommand = (project: Reader, words: string, cwd?: string): string =>
  `rotation ${words} ${place(project, "--cwd", cwd)}`;

/** The same of `pulumi`. */
export const pulumiCommand = (project: Reader, words: string, cwd?: string): string =>
  `pulumi ${words} ${place(project, "-C", cwd)}`;

/** A command, and a shell comment that says what it does. */
export const explained = (command: string, why: string): string => `${command}   # ${why}`;

/** What only a person can do, as a shell comment. */
export const byHand = (text: string): string => `# ${text}`;
