import type pg from "pg";
import { hasFailedSince, recordEvent } from "../../../audit/outbox";
import { eventTargets, policyOf } from "../../../config";
import { recordedOf, type StateResource, unfinishedOf } from "../../../core/begun";
import { dueAt, standingByAge } from "../../../core/deadlines";
import { parseDuration } from "../../../core/duration";
import { type EventData, type EventType, failedData, type NewEvent, receiversOf } from "../../../core/events";
import { activeGeneration, type SecretState } from "../../../core/state";
import { operationsOf } from "../../../kinds/operations";
import { traitsOf } from "../../../kinds/schemas";
import type { SecretOutput } from "../outputs";
import type { Reminder } from "../reminders/kinds";
import { wordsOf } from "../reminders/words";
import type { Outline } from "../settings";

/** What the events of the timer are derived from. */
export interface Evidence {
  readonly stack: string;
  readonly outline: Pick<Outline, "environment" | "policy" | "secrets" | "events">;
  readonly outputs: Readonly<Record<string, SecretOutput>>;
  readonly reminders: readonly Reminder[];
  readonly resources: readonly StateResource[];
}

/** An update that was begun so long ago and is not finished counts as failed. */
const GIVES_UP = parseDuration("1h");

/** A timer's event without its receivers. */
type Timed = Omit<NewEvent, "targets"> & { readonly occasion: string };

/** Everything that a timer has an event for now, whether it was recorded before or not. Pure: the clock is an argument. */
export function timedEvents(now: Date, { stack, outline, outputs, reminders }: Evidence): Timed[] {
  const { environment } = outline;
  const event = (type: EventType, data: EventData, day?: string): Timed => {
    const occasion = [stack, environment, data.secret, data.generation, type, ...(day === undefined ? [] : [day])];
    return { type, time: now, data, occasion: occasion.join(" ") };
  };
  const told = reminders.flatMap((reminder) => {
    // A failure is an event of its own, when it happens.
    if (reminder.kind === "failed") return [];
    return [event(reminder.kind, dataOf(reminder), reminder.day)];
  });
  const due = outline.secrets.flatMap((secret) => {
    const state = outputs[secret.name]?.state;
    const policy = policyOf(outline, secret);
    if (state === undefined || !traitsOf(secret).ages || standingByAge(state, policy, now) !== "due") return [];
    const { supply } = operationsOf(secret);
    const words = supply?.how ?? "The next run rotates it.";
    return [
      event("due", {
        ...emptyData(stack, environment, secret.name, state),
        at: dueAt(state, policy).toISOString(),
        summary: `${secret.name} (${environment}): due for rotation`,
        text: `It is due since ${dueAt(state, policy).toISOString()}. ${words}`,
        command: `rotation ${supply?.command(secret.name) ?? "run"} --stack ${stack}`,
      }),
    ];
  });
  return [...told, ...due];
}

const emptyData = (stack: string, environment: string, secret: string, state: SecretState) => ({
  ...{ stack, environment, secret, action: null, generation: activeGeneration(state), reason: null, phase: null },
  ...{ auditRow: null, durationSeconds: null, at: null, ageDays: null, maxAgeDays: null },
});

function dataOf(reminder: Reminder): EventData {
  const { stack, environment, secret, generation, reason, at, ageDays, maxAgeDays } = reminder;
  const { title, text, command } = wordsOf(reminder);
  return {
    ...{ stack, environment, secret, action: null, generation, reason, phase: null, auditRow: null },
    ...{ durationSeconds: null, at, ageDays, maxAgeDays, summary: title, text, command: command ?? null },
  };
}

/** Records what is new of it. @returns how many events were recorded */
export async function recordTimed(client: pg.ClientBase, now: Date, evidence: Evidence): Promise<number> {
  const targets = eventTargets(evidence.outline.events);
  if (targets.length === 0) return 0;
  let recorded = 0;
  for (const event of [...timedEvents(now, evidence), ...(await interrupted(client, now, evidence))]) {
    if (await recordEvent(client, { ...event, targets: receiversOf(event.type, targets) })) recorded++;
  }
  return recorded;
}

/** Updates that ended without a word, such as a failed `pulumi up`: a failure that nobody has recorded. */
async function interrupted(
  client: pg.ClientBase,
  now: Date,
  { stack, outline, outputs, resources }: Evidence,
): Promise<Timed[]> {
  const { environment } = outline;
  const found: Timed[] = [];
  // A connection takes one query at a time.
  for (const { name: secret } of outline.secrets) {
    const begun = unfinishedOf(outputs[secret]?.state, recordedOf(resources, secret));
    if (begun === undefined || now.getTime() - Date.parse(begun.step.at) < GIVES_UP) continue;
    const { sequence, action, generation, at } = begun.step;
    if (await hasFailedSince(client, { stack, environment, secret }, at)) continue;
    const reason = `the update that began at ${at} was interrupted or failed; the next one finishes it`;
    const facts = { stack, environment, secret, action, generation, reason };
    const occasion = [stack, environment, secret, sequence, action, generation, "unfinished"].join(" ");
    found.push({ type: "failed", time: now, data: failedData(facts, { at }), occasion });
  }
  return found;
}
