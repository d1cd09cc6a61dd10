import { chmod, mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { expect } from "vitest";
import { projectRoot } from "../../cli/toolchain/project";
import { type CommandResult, parsed } from "./cli-support";
import type { Bench } from "./harness";

const CLI = join(projectRoot(), "dist", "cli", "rotation.mjs");

/** The lines under `Next:` of what a command printed, or those of its JSON. */
export function adviceIn(stdout: string): readonly string[] {
  if (stdout.startsWith("{")) return parsed<{ next?: readonly string[] }>(stdout).next ?? [];
  const lines = stdout.split("\n");
  const begin = lines.indexOf("Next:");
  return begin === -1 ? [] : lines.slice(begin + 1).flatMap((line) => (line.startsWith("  ") ? [line.trim()] : []));
}

/** An environment in which `rotation` and `pulumi` are on PATH, as after an installation. */
export async function shellEnvironment({ stack }: Bench): Promise<Record<string, string>> {
  const bin = join(stack.projectDir, "bin-of-the-test");
  await mkdir(bin, { recursive: true });
  const file = join(bin, "rotation");
  await writeFile(file, `#!/bin/sh\nexec ${process.execPath} ${CLI} "$@"\n`);
  await chmod(file, 0o755);
  return { ...stack.env, PATH: `${bin}${delimiter}${stack.env.PATH}` };
}

/** Gives one line to a shell in the project's folder, as it is. */
export async function shell(bench: Bench, line: string): Promise<CommandResult> {
  const { exitCode, stdout, stderr } = await execa("sh", ["-c", line], {
    cwd: bench.stack.projectDir,
    env: await shellEnvironment(bench),
    reject: false,
    stdin: "ignore",
  });
  return { exitCode: exitCode ?? -1, stdout, stderr };
}

/** Runs the first command of what was advised that acts: comments are passed over by the shell. */
export async function followAdvice(bench: Bench, lines: readonly string[], which = 0): Promise<CommandResult> {
  const command = lines.filter((line) => !line.startsWith("#"))[which] ?? "false # nothing was advised";
  const result = await shell(bench, command);
  expect(result.exitCode, `${command}: ${result.stdout}${result.stderr}`).toBe(0);
  return result;
}
