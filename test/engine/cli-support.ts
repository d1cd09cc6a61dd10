import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { expect } from "vitest";
import { parse } from "yaml";
import { PROJECT } from "../../config";
import { clockAt } from "../../dev/lab/deploy";
import type { Bench } from "./harness";

/** What a command answered. */
export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** Beside the stack's own; `undefined` takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
  /** Receives the process once it runs, for tests that kill it. */
  readonly onStart?: (pid: number) => void;
}

/** Runs the bundled `rotation` as a process of its own on a bench's stack; any exit code is an answer. */
export async function rotation(
  { stack }: Pick<Bench, "stack">,
  args: readonly string[],
  { env, input, onStart }: CommandOptions = {},
): Promise<CommandResult> {
  const chosen = args.includes("--stacks") ? [] : ["--stack", stack.name];
  const command = [join(stack.projectDir, "dist/cli/rotation.mjs"), ...args, ...chosen];
  const child = execa(process.execPath, command, {
    cwd: stack.projectDir,
    env: { ...stack.env, ...env },
    reject: false,
    ...(input === undefined ? { stdin: "ignore" } : { input }),
  });
  if (child.pid !== undefined) onStart?.(child.pid);
  const { exitCode, stdout, stderr } = await child;
  return { exitCode: exitCode ?? -1, stdout, stderr };
}

/** A command that must end with 0; what it printed. */
export async function fine(
  bench: Pick<Bench, "stack">,
  args: readonly string[],
  options?: CommandOptions,
): Promise<string> {
  const { exitCode, stdout, stderr } = await rotation(bench, args, options);
  expect(exitCode, `rotation ${args.join(" ")}: ${stdout}${stderr}`).toBe(0);
  return stdout;
}

/** A command's one JSON document, or the last of its lines: the result of a run. */
export async function json<T>(bench: Pick<Bench, "stack">, args: readonly string[]): Promise<T> {
  return parsed<T>((await rotation(bench, [...args, "--json"])).stdout);
}

/** What a command printed with `--json`: its document, or the last line of a run. */
export function parsed<T>(stdout: string): T {
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  return JSON.parse(last.startsWith("{") ? last : stdout) as T;
}

/** Lines that an 80-column terminal would wrap. */
export const tooWide = (text: string): string[] => text.split("\n").filter((line) => line.length > 80);

/** A text with its line breaks undone: where a text for people wraps depends on the length of paths and ports. */
export const unwrapped = (text: string): string => text.replace(/\s+/g, " ");

/** Moves the lab's calendar as `setDay` does, without starting Pulumi: for tests that move it a thousand times. */
export const setClock = (bench: Bench, days: number): Promise<void> => editSettings(bench, { lab: clockAt(days) });

/** Lets reminders go to the lab's Slack and mail sinks; the two secrets are set as a user sets them. */
export async function notifySinks(bench: Bench): Promise<void> {
  const { lab, stack } = bench;
  const { host, port, user, password } = lab.smtp;
  const email = { host, port, user, verifyCertificate: false, from: "rotation@example.org", to: ["team@example.org"] };
  await editSettings(bench, { notify: { email } });
  const secrets = { "notify.slackWebhook": lab.slack.url, "notify.email.password": password };
  for (const [path, value] of Object.entries(secrets)) {
    const set = await stack.pulumi(["config", "set", "--secret", "--path", path], { input: value });
    expect(set.exitCode, set.stderr).toBe(0);
  }
}

/** Sets config keys in the settings file, as somebody with an editor does; `undefined` removes one. JSON is YAML too. */
export async function editSettings({ stack }: Bench, changes: Readonly<Record<string, unknown>>): Promise<void> {
  const file = join(stack.projectDir, `Pulumi.${stack.name}.yaml`);
  const settings = parse(await readFile(file, "utf8")) as { config: Record<string, unknown> };
  for (const [key, value] of Object.entries(changes)) settings.config[`${PROJECT}:${key}`] = value;
  await writeFile(file, JSON.stringify(settings, null, 2));
}
