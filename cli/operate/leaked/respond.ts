import { type Recorded, recordEntry } from "../../../audit/log";
import { operator } from "../../../clients/home";
import { messageOf } from "../../../core/errors";
import { secretOf } from "../../../core/resource-names";
import { activeGeneration } from "../../../core/state";
import { operationsOf } from "../../../kinds/operations";
import { phaseOf } from "../../../kinds/phases";
import { auditConnection } from "../audit-log";
import { OperationError } from "../errors";
import type { Project } from "../project";
import { Run } from "../run";
import type { RunListener, RunResult } from "../run-result";
import { readStack, type Stack } from "../stack";
import { type FoundLeak, tried } from "./find";

/** What became of a leaked credential, with the times of the audit row. */
export interface Response {
  readonly secret: string;
  readonly generation: number;
  /** The generation in use now. */
  readonly to: number;
  readonly found: string;
  readonly rotated: string;
  /** When the leaked value was refused; null if it still works, and why. */
  readonly refused: string | null;
  readonly refusal: string;
  /** When its last session was gone; null if some are left or nobody could end them, and why. */
  readonly sessionsGone: string | null;
  readonly sessions: string;
  /** From finding it to its last session. */
  readonly seconds: number;
  /** The row of the audit log. */
  readonly row: number;
}

/**
 * Rotates the leaked secrets in the config's order, proves that the leaked values are refused, ends their sessions, and writes
 * the times into the audit log.
 *
 * @param rotate carries out an emergency rotation
 * @throws OperationError if an update does not succeed
 */
export async function respond(
  project: Project,
  stack: Stack,
  leaks: readonly FoundLeak[],
  { found, listener, signal }: { readonly found: Date; readonly listener: RunListener; readonly signal?: AbortSignal },
): Promise<Response[]> {
  const responses: Response[] = [];
  const order = stack.config.secrets.map(({ name }) => name);
  for (const secret of order.filter((name) => leaks.some((leak) => leak.secret === name))) {
    const own = leaks.filter((leak) => leak.secret === secret);
    const changed = await rotate(project, stack, own, listener, signal);
    const rotated = new Date();
    const after = await readStack(project);
    const generations = new Map(own.map((leak) => [leak.generation, leak]));
    for (const leak of generations.values()) {
      const parts = Object.fromEntries(
        own.filter((one) => one.generation === leak.generation).map((one) => [one.part, one.value]),
      );
      responses.push(await finish(after, { leak, parts, found, rotated, changed }));
    }
  }
  return responses;
}

/** An emergency rotation. @returns when the password was changed; undefined if the run did not say */
async function rotate(
  project: Project,
  { config }: Stack,
  leaks: readonly FoundLeak[],
  listener: RunListener,
  signal: AbortSignal | undefined,
): Promise<Date | undefined> {
  const names = config.secrets.map(({ name }) => name);
  const secret = leaks[0]?.secret ?? "";
  const generations = [...new Set(leaks.map(({ generation }) => generation))].join(", ");
  const [where = ""] = leaks.flatMap((leak) => leak.where);
  const reason = `generation ${generations} leaked: ${where}`.slice(0, 500);
  const id = `leaked-${new Date().toISOString()}`;
  let changed: Date | undefined;
  const run = await Run.open(
    project,
    {
      ...listener,
      happening: (event) => {
        // The first thing after the role's new password is a login with it.
        if (event.kind === "begins" && secretOf(event.step.name, names) === secret && phaseOf(event.step) === "verify")
          changed ??= new Date();
        listener.happening(event);
      },
    },
    {
      request: { id, secret, rotate: true, emergency: true, reason },
      yes: true,
      ...(signal === undefined ? {} : { signal }),
    },
  );
  const result = await run.carryOut();
  if (result.outcome !== "done") throw new OperationError(`${secret} was not rotated: ${wordsOf(result)}`);
  return changed;
}

function wordsOf(result: RunResult): string {
  switch (result.outcome) {
    case "refused by the preflight":
      return result.preflight
        .flatMap(({ checks }) => checks.flatMap(({ ok, evidence }) => (ok ? [] : [evidence])))
        .join("; ");
    case "failed":
    case "rolled back":
      return `${result.failure.reason}. ${result.situation}`;
    default:
      return result.outcome;
  }
}

interface Rotated {
  readonly leak: FoundLeak;
  readonly parts: Readonly<Record<string, string>>;
  readonly found: Date;
  readonly rotated: Date;
  readonly changed: Date | undefined;
}

async function finish(stack: Stack, { leak, parts, found, rotated, changed }: Rotated): Promise<Response> {
  const { project } = stack;
  const { secret, generation, username } = leak;
  const { answer, evidence } = await tried(stack, leak, parts);
  const refused = answer === "refused" ? new Date() : null;
  const sessions = await ended(stack, leak, changed);
  const gone = sessions.left === 0 ? new Date() : null;
  const state = stack.outputs[secret]?.state;
  const to = state === undefined ? generation : activeGeneration(state);
  const seconds = Math.round(((gone ?? refused ?? rotated).getTime() - found.getTime()) / 100) / 10;
  const times = {
    found: found.toISOString(),
    rotated: rotated.toISOString(),
    refused: refused?.toISOString() ?? null,
    sessionsGone: gone?.toISOString() ?? null,
  };
  const words = { refusal: evidence, sessions: sessions.words };
  const recorded: Recorded = await recordEntry(auditConnection(stack.config), {
    secretName: secret,
    rotatedBy: operator(project.env),
    rotationDate: stack.now.toISOString(),
    status: refused !== null && gone !== null ? "SUCCESS" : "FAILED",
    stack: project.stack,
    environment: stack.config.environment,
    action: "LEAK",
    generation,
    reason: `leaked: ${leak.where[0] ?? ""}`.slice(0, 500),
    outputs: { leak: { ...times, ...words, part: leak.part, username, to } },
    durationSeconds: seconds,
  });
  return { secret, generation, to, ...times, ...words, seconds, row: recorded.id };
}

/** Ends the sessions of a login that leaked; those with its new password stay. */
async function ended(
  stack: Stack,
  { secret: name, username }: FoundLeak,
  changed: Date | undefined,
): Promise<{ readonly left: number | undefined; readonly words: string }> {
  const secret = stack.config.secrets.find((one) => one.name === name);
  if (secret === undefined || username === null || operationsOf(secret).endSessions === undefined)
    return { left: 0, words: "none: it has no sessions" };
  const state = stack.outputs[name]?.state;
  const known = state === undefined ? [] : operationsOf(secret).known(stack, secret, [state]);
  const inUse = known.find(({ generation }) => state !== undefined && generation === activeGeneration(state));
  try {
    const before = inUse?.username === username ? changed : undefined;
    const { ended: count = 0, left = 0 } = (await operationsOf(secret).endSessions?.(secret, username, before)) ?? {};
    return { left, words: `${count} of ${username} ended, ${left} left` };
  } catch (error) {
    return { left: undefined, words: messageOf(error) };
  }
}
