import * as z from "zod";
import { environmentSecrets, environmentWithoutSecrets, unsetVariables } from "../../clients/environment-secrets";
import { type CommandOptions, type CommandRun, LONGEST_ANSWER, runWithInput } from "../../clients/json-command";
import { plain } from "../../components/restart/hooks";
import { StepError } from "../../core/errors";
import { redact, redactIn } from "../../core/redact";
import { secret } from "../../core/secret-fields";
import { type CommandSettings, PROTOCOL } from "./schema";

/** A credential: its values by the names of `fields`. */
export type Values = Readonly<Record<string, string>>;

const values = z.record(z.string(), secret(z.string().min(1)));

const about = {
  protocol: z.literal(PROTOCOL),
  /** The secret's name in the config. */
  secret: z.string(),
  /** The names of the values. */
  fields: z.array(z.string()),
};

/** `<stack>/<secret>/<generation>`: the same whenever an interrupted update is repeated. */
const id = z.string();

/** What a command gets on its standard input. */
export const request = z.discriminatedUnion("action", [
  z.object({ action: z.literal("issue"), ...about, id }),
  z.object({ action: z.literal("verify"), ...about, values }),
  z.object({ action: z.literal("revoke"), ...about, id, values }),
]);

export type Request = z.output<typeof request>;
export type Action = Request["action"];
export type RequestOf<A extends Action> = Extract<Request, { readonly action: A }>;

const identity = z.string().min(1).max(200).optional();

/** What each command prints. */
export const ANSWERS = {
  issue: z.object({ values, identity }),
  verify: z.object({
    answer: z.enum(["works", "refused", "unknown"]),
    /** Whom it belongs to, such as an account number: the same for each credential of one secret. Not secret. */
    identity,
    /** What the issuer said, in a few words. Not secret. */
    evidence: z.string().max(1000).optional(),
  }),
  revoke: z.object({ revoked: z.literal(true) }),
} as const;

export type AnswerOf<A extends Action> = z.output<(typeof ANSWERS)[A]>;

/** The longest answer, in characters, with which the command's other output is shown. */
const LONGEST_SHOWN = 8192;

/** A command failed, or printed what is no answer. The message is redacted, and never has the answer. */
export class CommandError extends StepError {}

/** How a command is run. */
export interface CommandsOf extends Pick<CommandSettings, "variables"> {
  /** Those that are asked for. */
  readonly commands: Readonly<Partial<Record<Action, string | undefined>>>;
  /** Milliseconds that one command may take. */
  readonly timeout: number;
  /** The folder in which the commands run. Default: this process's. */
  readonly directory?: string | undefined;
}

/**
 * The environment of a command: the run's, without its credentials except those that `variables` names.
 *
 * @throws CommandError if one of them is not set
 */
export function environmentOf({ variables }: Pick<CommandsOf, "variables">, env: NodeJS.ProcessEnv = process.env) {
  const unset = unsetVariables(variables, env);
  if (unset !== undefined) throw new CommandError(unset);
  return { ...environmentWithoutSecrets(env), ...Object.fromEntries(variables.map((name) => [name, env[name]])) };
}

/** Runs a command with a request. @throws CommandError if it failed, or its answer is not as agreed */
export async function askCommand<A extends Action>(
  of: CommandsOf,
  asked: RequestOf<A>,
  options: Partial<CommandOptions> = {},
): Promise<AnswerOf<A>> {
  const { commands, timeout, directory } = of;
  const env = options.env ?? environmentOf(of);
  const command = commands[asked.action];
  if (command === undefined) throw new Error(`${asked.secret} has no command for ${asked.action}`);
  const run = await runWithInput(command, {
    input: `${JSON.stringify(asked)}\n`,
    directory,
    limit: timeout,
    ...options,
    env,
  });
  return readAnswer(of, asked, run, env);
}

/** What a command answered. @throws CommandError as {@link askCommand} */
export function readAnswer<A extends Action>(
  { commands, timeout, variables }: CommandsOf,
  asked: RequestOf<A>,
  run: CommandRun,
  env: NodeJS.ProcessEnv,
): AnswerOf<A> {
  const { status, stdout, stderr, tooLong } = run;
  const known = [
    ...("values" in asked ? Object.values(asked.values) : []),
    ...variables.flatMap((name) => env[name] ?? []),
    ...environmentSecrets(process.env),
  ];
  // Whatever is in the answer may be a value.
  const hidden = [...known, ...(stdout.slice(0, LONGEST_SHOWN).match(/[^\s"',:{}[\]]{6,}/g) ?? [])];
  const said = stdout.length > LONGEST_SHOWN ? "" : redact(plain(stderr), hidden).slice(-600);
  const fail = (why: string) =>
    new CommandError(
      `${asked.secret}: the command for ${asked.action}, \`${commands[asked.action]}\`, ${why}` +
        `${said === "" ? "" : `; it said: ${said}`}`,
    );
  if (status === null) throw fail(`did not end within ${Math.ceil(timeout / 1000)} s`);
  if (status !== 0) throw fail(`failed (exit status ${status})`);
  if (tooLong) throw fail(`printed more than ${LONGEST_ANSWER / 1024} KiB`);
  const parsed = parse(stdout);
  if (parsed === undefined)
    throw fail(
      `should have printed one JSON object, and printed ${stdout.length} characters that are none (not shown: they may ` +
        "hold a secret)",
    );
  const problems = problemsOf(asked, parsed);
  if (problems !== undefined) throw fail(`answered other than agreed: ${problems}`);
  const answer = ANSWERS[asked.action].parse(parsed);
  return (asked.action === "issue" ? answer : redactIn(answer, known)) as AnswerOf<A>;
}

function parse(text: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** What is wrong with an answer, without any of its values. */
function problemsOf({ action, fields }: Request, answer: object): string | undefined {
  const result = ANSWERS[action].safeParse(answer);
  if (!result.success)
    // A key inside `values` that is not one of the fields may be a value.
    return result.error.issues
      .map(({ path, code }) => {
        const at = path.every((part, index) => index === 0 || fields.includes(String(part))) ? path.join(".") : path[0];
        return `${String(at)} (${WRONG[code] ?? "of another form"})`;
      })
      .join(", ");
  if (!("values" in result.data)) return undefined;
  const given = Object.keys(result.data.values);
  const missing = fields.filter((field) => !given.includes(field));
  const more = given.filter((field) => !fields.includes(field)).length;
  if (missing.length > 0) return `expected values with ${fields.join(", ")}, found none for ${missing.join(", ")}`;
  return more > 0 ? `expected values with ${fields.join(", ")} alone, found ${more} more` : undefined;
}

const WRONG: Readonly<Record<string, string>> = {
  invalid_type: "missing, or of another type",
  invalid_value: "another value",
  too_small: "empty",
  too_big: "too long",
};
