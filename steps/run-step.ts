import type { z } from "zod";
import { environmentSecrets } from "../clients/environment-secrets";
import { messageOf, StepError } from "../core/errors";
import { redact, redactIn } from "../core/redact";
import { secretsIn } from "../core/secret-fields";

/**
 * Runs a step: JSON on stdin, one line of JSON on stdout, exit 1 with one message on stderr. All output is
 * first redacted: every secret in the environment and in the fields that the schema marks (`secret`). A step gets that as
 * `clean`, for what it writes elsewhere.
 */
export async function runStep<T>(
  schema: z.ZodType<T>,
  step: (input: T, clean: (text: string) => string) => Promise<object>,
): Promise<void> {
  let marked: string[] = [];
  // Read at the end: a step may have logged in.
  const secrets = () => [...environmentSecrets(process.env), ...marked];
  try {
    const raw = parse(await readStdin());
    marked = secretsIn(schema, raw);
    const result = schema.safeParse(raw);
    if (!result.success) {
      const fields = result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
      throw new StepError(`the input on stdin is wrong: ${fields.join("; ")}`);
    }
    const clean = (text: string) => redact(text, secrets());
    const answer: unknown = JSON.parse(JSON.stringify(await step(result.data, clean)));
    process.stdout.write(`${JSON.stringify(redactIn(answer, secrets()))}\n`);
  } catch (error) {
    process.stderr.write(`${redact(messageOf(error), secrets())}\n`);
    process.exitCode = 1;
  }
}

/** What a step that remembers (`components/step-command.ts`) printed the last time; an empty object if it has not run, or runs anew. */
export function lastAnswer(): Readonly<Record<string, unknown>> {
  // The engine's plugin sets it when it runs a command in place.
  const line = process.env.PULUMI_COMMAND_STDOUT?.trim() ?? "";
  return line === "" ? {} : (JSON.parse(line) as Record<string, unknown>);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new StepError("expected JSON on stdin; this program is run by `pulumi up`");
  }
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
