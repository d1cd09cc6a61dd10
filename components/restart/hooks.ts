import * as z from "zod";
import { environmentWithoutSecrets } from "../../clients/environment-secrets";
import { type RunScript, runLimited, shellHere } from "../../clients/shell";
import { StepError } from "../../core/errors";
import { quoted } from "../../core/shell-word";

/** A command of the user's in a step's input. */
export const hookInput = z.object({
  command: z.string(),
  on: z.enum(["host", "runner"]),
  /** Milliseconds. */
  timeout: z.number(),
});

export type Hook = z.output<typeof hookInput>;

/** A hook that ran, for the audit row. */
export interface HookRun {
  readonly hook: "before" | "after";
  readonly command: string;
  /** What it printed at its end, standard output and error together. */
  readonly said: string;
}

/** How much of the output is kept, in characters: its end. */
const KEPT = 1000;

/** Text that a database or a terminal can take. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
export const plain = (text: string) => text.replace(/[\u0000-\u0008\u000B-\u001F\u007F]|\p{Surrogate}/gu, "").trim();

/**
 * Runs a hook. The commands of this machine get none of the run's credentials.
 *
 * @param variables what it finds in its environment; no secret
 * @param run runs scripts on the host
 * @param consequence what holds if it fails; the end of the message
 * @throws StepError with what it printed
 */
export async function runHook(
  hook: "before" | "after",
  { command, on, timeout }: Hook,
  variables: Readonly<Record<string, string>>,
  run: RunScript,
  consequence: string,
): Promise<HookRun> {
  const exports = Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}`);
  const script = [...exports, command].join("\n");
  const seconds = Math.ceil(timeout / 1000);
  const where = on === "runner" ? shellHere(environmentWithoutSecrets(process.env)) : run;
  const { status, output } = await runLimited(where, script, seconds);
  const said = plain(output.slice(-KEPT));
  if (status === 0) return { hook, command, said };
  const why = status === null ? `did not end within ${seconds} s` : `failed (exit status ${status})`;
  throw new StepError(
    `the \`${hook}\` hook ${why}${said === "" ? "" : `; it said: ${said.slice(-600)}`}. ${consequence}`,
  );
}
