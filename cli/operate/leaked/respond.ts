import { type Recorded, recordEntry } from "../../../audit/log";
import { operator } from "../../../clients/home";
import type { SecretConfig } from "../../../config";
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
import type { FoundLeak, Leak } from "./leak";

/** A secret that leaked and could not be rotated: nothing was ended. */
export interface Unanswered {
  readonly secret: string;
  readonly failure: string;
  /** What to do first, then the same command again; undefined if the failure says it. */
  readonly next: string | undefined;
}

/** What became of a leaked credential, with the times of the audit row. */
export interface Response {
  readonly secret: string;
  /** The generation that leaked. */
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
  /** What only a person can do now; undefined if nothing is left. */
  readonly next: string | undefined;
  /** The row of the audit log. */
  readonly row: number;
}

/**
 * Rotates the leaked secrets in the config's order, proves that the leaked values are refused, ends their sessions, and writes
 * the times into the audit log. A secret that cannot be rotated does not hold up the others.
 */
export async function respond(
  project: Project,
  stack: Stack,
  found: readonly FoundLeak[],
  { since, listener, signal }: { readonly since: Date; readonly listener: RunListener; readonly signal?: AbortSignal },
): Promise<{ readonly responses: readonly Response[]; readonly unanswered: readonly Unanswered[] }> {
  const [responses, unanswered]: [Response[], Unanswered[]] = [[], []];
  for (const secret of stack.config.secrets) {
    const own = found.filter(({ leak }) => leak.secret === secret.name);
    if (own.length === 0) continue;
    const leaks = own.map(({ leak }) => leak);
    try {
      const changed = await rotate(project, stack, leaks, listener, signal);
      const rotated = new Date();
      const after = await readStack(project);
      // Both halves of a pair are one credential, and a login has one name.
      const credentials = new Map(own.map((one) => [`${one.leak.generation} ${one.leak.username}`, one]));
      for (const one of credentials.values()) responses.push(await finish(after, { ...one, since, rotated, changed }));
    } catch (error) {
      if (signal?.aborted) throw error;
      unanswered.push({ secret: secret.name, failure: messageOf(error), next: suppliedFirst(stack, secret) });
    }
  }
  return { responses, unanswered };
}

/** What the operator has to make before a rotation can help. */
function suppliedFirst(stack: Stack, secret: SecretConfig): string | undefined {
  const { supply } = operationsOf(secret);
  return supply && `${supply.how} \`${stack.command(supply.command(secret.name))}\`, then this command again.`;
}

/** An emergency rotation. @returns when the password was changed; undefined if the run did not say */
async function rotate(
  project: Project,
  { config }: Stack,
  leaks: readonly Leak[],
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

interface Rotated extends FoundLeak {
  readonly since: Date;
  readonly rotated: Date;
  readonly changed: Date | undefined;
}

async function finish(stack: Stack, { leak, again, since, rotated, changed }: Rotated): Promise<Response> {
  const { project } = stack;
  const { secret, username } = leak;
  const { answer, evidence } = await again(stack);
  const refused = answer === "refused" ? new Date() : null;
  const sessions = await ended(stack, leak, changed);
  const gone = sessions.left === 0 ? new Date() : null;
  const state = stack.outputs[secret]?.state;
  const to = state === undefined ? (leak.generation ?? 0) : activeGeneration(state);
  const generation = leak.generation ?? to;
  const seconds = Math.round(((gone ?? refused ?? rotated).getTime() - since.getTime()) / 100) / 10;
  const times = {
    found: since.toISOString(),
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
  const next = refused === null ? leftToDo(stack, secret, to) : undefined;
  return { secret, generation, to, ...times, ...words, seconds, next, row: recorded.id };
}

/** How a credential ends that only the operator can end. */
function leftToDo(stack: Stack, name: string, to: number): string | undefined {
  const secret = stack.config.secrets.find((one) => one.name === name);
  const supply = secret && operationsOf(secret).supply;
  return supply && `${supply.ending.text(to)} Do it now, then \`${stack.command("run")}\`.`;
}

/** Ends the sessions of a login that leaked; those with its new password stay. */
async function ended(
  stack: Stack,
  { secret: name, username }: Leak,
  changed: Date | undefined,
): Promise<{ readonly left: number | undefined; readonly words: string }> {
  const secret = stack.config.secrets.find((one) => one.name === name);
  if (secret === undefined || username === null || operationsOf(secret).endSessions === undefined)
    return { left: 0, words: "none: it has no sessions" };
  const state = stack.outputs[name]?.state;
  const known = state === undefined ? [] : operationsOf(secret).known(stack, secret, [state]);
  const inUse = known.find(({ generation }) => state !== undefined && generation === activeGeneration(state));
  try {
    // Of a login whose name stays, later sessions have its new password.
    const before = inUse?.username === undefined || inUse.username === username ? changed : undefined;
    const { ended: count = 0, left = 0 } = (await operationsOf(secret).endSessions?.(secret, username, before)) ?? {};
    return { left, words: `${count} of ${username} ended, ${left} left` };
  } catch (error) {
    return { left: undefined, words: messageOf(error) };
  }
}
