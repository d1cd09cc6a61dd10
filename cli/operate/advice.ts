import { relative } from "node:path";
import { quoted } from "../../core/shell-word";
import type { Project } from "./project";

/** Where advice is read: without `cwd`, in this process's folder. */
type Reader = Pick<Project, "dir" | "stack">;

/** The options that make a command of `rotation` or `pulumi` mean this stack from the folder that it was asked in. */
function place({ dir, stack }: Reader, folderOption: "--cwd" | "-C", cwd = process.cwd()): string {
  const inside = !relative(dir, cwd).startsWith("..");
  return `--stack ${quoted(stack)}${inside ? "" : ` ${folderOption} ${quoted(dir)}`}`;
}

/** A command of `rotation` for this stack, to be copied as it is. */
export const rotationCommand = (project: Reader, words: string, cwd?: string): string =>
  `rotation ${words} ${place(project, "--cwd", cwd)}`;

/** The same of `pulumi`. */
export const pulumiCommand = (project: Reader, words: string, cwd?: string): string =>
  `pulumi ${words} ${place(project, "-C", cwd)}`;

/** A command with what it does behind it, as a line that a shell takes whole. */
export const explained = (command: string, why: string): string => `${command}   # ${why}`;

/** What only a person can do, as a line that a shell passes over. */
export const byHand = (text: string): string => `# ${text}`;
