import * as z from "zod";
import { type RunScript, runLimited, shellHere } from "../clients/shell";
import { hostReference, sshKey, withHost } from "../clients/ssh";
import { StepError } from "../core/errors";
import { secret } from "../core/secret-fields";
import { runStep } from "./run-step";

const input = z.object({
  command: z.string(),
  service: z.string(),
  /** Seconds. */
  timeout: z.number(),
  host: hostReference.extend({ name: z.string() }).optional(),
  privateKey: sshKey.optional(),
  /** How to return to the previous key; the end of a message. */
  wayBack: z.string(),
  /** Redacted from every message. */
  secrets: z.array(
    z.object({
      keyId: secret(z.string()).optional(),
      secretKey: secret(z.string()).optional(),
      values: secret(z.record(z.string(), z.string())).optional(),
    }),
  ),
});

type Input = z.output<typeof input>;

/** A line that must not occur. */
const WRONG = /\b(ERROR|CRITICAL|FATAL)\b|^Traceback \(most recent call last\)/;
const LINES = 5;
const LENGTH = 300;

/** Runs the platform's dry run on its service's machine, and checks its output. */
await runStep(input, async (given) => {
  const started = Date.now();
  const { host } = given;
  const limited = (run: RunScript) => runLimited(run, given.command, given.timeout);
  const { status, output } =
    host === undefined
      ? await limited(shellHere(withoutOwn(process.env)))
      : await withHost(host.name, host, given.privateKey, limited);
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  const problem = problemOf(given, status, lines);
  if (problem !== undefined) {
    throw new StepError(
      `the dry run of ${given.service} (\`${given.command}\`): ${problem}\nThe store has the new pair and the services ` +
        `run with it. Fix what it reports and run \`pulumi up\` again, or go back: ${given.wayBack}`,
    );
  }
  return { lines: lines.length, seconds: Math.round((Date.now() - started) / 1000) };
});

function problemOf({ timeout }: Input, status: number | null, lines: string[]): string | undefined {
  const wrong = lines.filter((line) => WRONG.test(line));
  const shown = (some: string[]) => some.map((line) => `\n  ${line.slice(0, LENGTH)}`).join("");
  if (status === null) return `did not end within ${timeout} s; it said last:${shown(lines.slice(-LINES))}`;
  if (status !== 0) {
    const said = wrong.length > 0 ? wrong.slice(0, LINES) : lines.slice(-LINES);
    return `expected it to end with status 0, found ${status}; it said:${shown(said)}`;
  }
  if (wrong.length > 0) return `expected no error in its output, found:${shown(wrong.slice(0, LINES))}`;
  return undefined;
}

/** The environment without the pipeline's own credentials. */
function withoutOwn(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = /^(PULUMI_|PG|VAULT_TOKEN$|AWS_)/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !own.test(name)));
}
