import type { z } from "zod";
import { environmentSecrets } from "../clients/environment-secrets";
import { bounded } from "../core/bounded";
import { messageOf, StepError } from "../core/errors";
import { ACTIVATION, LAST_ANSWER, LAST_WARNINGS, ONCE } from "../core/phases";
import { redact, redactIn } from "../core/redact";
import { secretsIn } from "../core/secret-fields";

const { [ACTIVATION]: activation, [ONCE]: once, [LAST_ANSWER]: last = "" } = process.env;
// No concern of what a step starts: a service's restart, a hook.
for (const name of [ACTIVATION, ONCE, LAST_ANSWER, LAST_WARNINGS]) delete process.env[name];

/**
 * Runs a step: JSON on stdin, one line of JSON on stdout, exit 1 with one message on stderr. All output is
 * first redacted: every secret in the environment and in the fields that the schema marks (`secret`). A step gets that as
 * `clean`, for what it writes elsewhere.
 *
 * A step that runs in place (`components/step-command.ts`) gets as `again` whether it was carried out for its activation
 * before, and only its input has changed. One that runs once for each activation then repeats its last answer.
 */
export async function runStep<T>(
  schema: z.ZodType<T>,
  step: (input: T, clean: (text: string) => string, again: boolean) => Promise<object>,
): Promise<void> {
  let marked: string[] = [];
  // Read at the end: a step may have logged in.
  const secrets = () => [...environmentSecrets(process.env), ...marked];
  try {
    const stdin = await readStdin();
    const again = activation !== undefined && lastAnswer().activation === activation;
    if (again && once !== undefined) return void process.stdout.write(`${last}\n`);
    const raw = parse(stdin);
    marked = secretsIn(schema, raw);
    const result = schema.safeParse(raw);
    if (!result.success) {
      const fields = result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
      throw new StepError(`the input on stdin is wrong: ${fields.join("; ")}`);
    }
    const clean = (text: string) => redact(text, secrets());
    const own = await step(result.data, clean, again);
    const said = activation === undefined ? own : bounded({ ...own, activation });
    const answer: unknown = JSON.parse(JSON.stringify(said));
    process.stdout.write(`${JSON.stringify(redactIn(answer, secrets()))}\n`);
  } catch (error) {
    process.stderr.write(`${redact(messageOf(error), secrets())}\n`);
    process.exitCode = 1;
  }
}

/**
 * What a step that runs in place (`components/step-command.ts`) printed the last time; an empty object if it has not run, or
 * runs anew.
 */
export function lastAnswer(): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(last) as Record<string, unknown>;
  } catch {
    return {};
  }
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
