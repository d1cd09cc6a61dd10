import type pg from "pg";
import { migrateIfNeeded } from "../../../audit/migrate";
import { type NotifyConfig, policyOf } from "../../../config";
import { messageOf } from "../../../core/errors";
import { redact } from "../../../core/redact";
import { operationsOf } from "../../../kinds/operations";
import type { LogRow } from "../audit-log";
import { UsageError } from "../errors";
import { type Delivered, deliverEvents } from "../events/deliver";
import { recipientsOf } from "../events/recipients";
import { readOutputs } from "../outputs";
import type { Project } from "../project";
import { secretsToRedact } from "../secrets";
import { clockOf, HIDDEN, type Outline, readConfig, readOutline } from "../settings";
import { readResources } from "../state-resources";
import { type Reminder, remindersAt } from "./kinds";
import { type Channel, type Delivery, deliverOnce, undelivered } from "./ledger";
import { messageOf as wordsFor } from "./words";

/** The result of one reminder on one channel. */
export interface Sent {
  readonly secret: string;
  readonly generation: number;
  readonly kind: Reminder["kind"];
  readonly channel: Channel;
  /** The e-mail address, if there are several. */
  readonly recipient?: string;
  readonly outcome: "sent" | "sent by another run" | "failed";
  readonly error?: string;
}

/**
 * Sends the reminders that are due, each once per secret, generation, kind, channel and recipient, and the open events to
 * the receivers of `events`. Safe to run every hour, and twice at once. If none is due, it neither starts Pulumi nor
 * decrypts anything.
 *
 * @throws UsageError if the config names no channel
 */
export async function remind(project: Project): Promise<(Sent | Delivered)[]> {
  const outline = await readOutline(project);
  const hasEvents = Object.keys(outline.events).length > 0;
  const notify = await targetsOf(project, outline, hasEvents);
  const sent = await onTime(project, outline, async (client, { now, reminders }) => {
    const open = notify === undefined ? [] : await undelivered(client, deliveriesOf(reminders, notify));
    if (notify === undefined || open.length === 0) return [];
    const config = await readConfig(project);
    const secrets = secretsToRedact(project, config);
    return deliverAll(client, open, {
      now,
      secrets,
      send: (delivery) => send(config.notify, delivery),
      nameRecipients: notify.email !== undefined && recipientsOf(notify.email).length > 1,
    });
  });
  return hasEvents ? [...sent, ...(await deliverEvents(project, outline))] : sent;
}

/** Records what the timer has events for, and sends every open event. */
export async function remindByEvents(project: Project): Promise<Delivered[]> {
  const outline = await readOutline(project);
  if (Object.keys(outline.events).length === 0) {
    throw new UsageError(
      "there is no receiver of events: set the config key `events`, for example `pulumi config set --path events.ops.kind slack` and `pulumi config set --secret --path events.ops.url` (docs/events.md)",
    );
  }
  await onTime(project, outline, async () => undefined);
  return deliverEvents(project, outline);
}

/** Finds out what is due now, and records the events of it. */
async function onTime<T>(
  project: Project,
  outline: Outline,
  use: (client: pg.Client, found: { readonly now: Date; readonly reminders: readonly Reminder[] }) => Promise<T>,
): Promise<T> {
  const outputs = await readOutputs(project);
  const [{ withClient }, { auditConnection }, { lastRowOfEach }] = await Promise.all([
    import("../../../audit/connection"),
    import("../audit-log"),
    import("../../../audit/queries"),
  ]);
  return withClient(auditConnection(outline), async (client) => {
    await migrateIfNeeded(client);
    const rows: LogRow[] = await lastRowOfEach(client, { environment: outline.environment });
    const now = clockOf(outline);
    const inUse = await usersOfPrevious(outline, outputs, now);
    const { stack } = project;
    const reminders = remindersAt(now, { stack, outline, outputs, rows, inUse });
    if (Object.keys(outline.events).length > 0) {
      const { recordTimed } = await import("../events/timers");
      const resources = await readResources(project);
      await recordTimed(client, now, { stack, outline, outputs, reminders, resources });
    }
    return use(client, { now, reminders });
  });
}

/** Who still uses a previous credential whose grace period is over, by the secret's name. */
async function usersOfPrevious(
  outline: Outline,
  outputs: Awaited<ReturnType<typeof readOutputs>>,
  now: Date,
): Promise<Record<string, string | undefined>> {
  const asked = outline.secrets.map(async (secret) => {
    const state = outputs[secret.name]?.state;
    const observed = { config: outline, now };
    const kept = state && (await operationsOf(secret).kept(secret, state, policyOf(outline, secret), observed));
    return [secret.name, kept?.users] as const;
  });
  return Object.fromEntries(await Promise.all(asked));
}

/** The channels; undefined if there are only receivers of events. @throws UsageError if there is neither */
async function targetsOf(project: Project, outline: Outline, hasEvents: boolean): Promise<NotifyConfig | undefined> {
  // A `notify` that is secret as a whole, or whose recipients are, cannot be read without Pulumi.
  if (hasEvents && outline.notify === undefined) return undefined;
  const isHidden = outline.notify === undefined || outline.notify.email?.to.includes(HIDDEN);
  const notify = isHidden ? (await readConfig(project)).notify : outline.notify;
  if (notify === undefined) {
    throw new UsageError(
      "there is no channel to send reminders to: set the config key `notify`, for example `pulumi config set --secret --path notify.slackWebhook`",
    );
  }
  return notify;
}

/** Each reminder to Slack and to each recipient of e-mail. */
export function deliveriesOf(reminders: readonly Reminder[], { slackWebhook, email }: NotifyConfig): Delivery[] {
  const recipients = email === undefined ? [] : recipientsOf(email);
  return reminders.flatMap((reminder): Delivery[] => [
    ...(slackWebhook === undefined ? [] : [{ reminder, channel: "slack" as const }]),
    ...recipients.map((recipient) => ({ reminder, channel: "email" as const, recipient })),
  ]);
}

/** How {@link deliverAll} delivers. */
export interface DeliverOptions {
  readonly now: Date;
  readonly send: (delivery: Delivery) => Promise<void>;
  /** Redacted in the messages of failures. */
  readonly secrets: readonly string[];
  /** Whether the result names the recipient: if there are several. */
  readonly nameRecipients: boolean;
}

/** Makes each delivery by itself: one that fails does not stop the others, and is retried by the next run. */
export async function deliverAll(
  client: Parameters<typeof deliverOnce>[0],
  deliveries: readonly Delivery[],
  { now, send, secrets, nameRecipients }: DeliverOptions,
): Promise<Sent[]> {
  const sent: Sent[] = [];
  for (const delivery of deliveries) {
    const { secret, generation, kind } = delivery.reminder;
    const { channel, recipient } = delivery;
    const about = { secret, generation, kind, channel, ...(nameRecipients && recipient ? { recipient } : {}) };
    try {
      const own = await deliverOnce(client, delivery, now, () => send(delivery));
      sent.push({ ...about, outcome: own ? "sent" : "sent by another run" });
    } catch (error) {
      const text = messageOf(error);
      sent.push({ ...about, outcome: "failed", error: redact(text, secrets) });
    }
  }
  return sent;
}

async function send(notify: NotifyConfig | undefined, { channel, recipient, reminder }: Delivery): Promise<void> {
  if (channel === "slack" && notify?.slackWebhook !== undefined) {
    const [{ slackBody }, { post }] = await Promise.all([import("../events/slack"), import("../events/post")]);
    const body = JSON.stringify(slackBody(wordsFor(reminder)));
    return post("Slack", { url: notify.slackWebhook, body, attempts: 1 });
  }
  if (channel === "email" && notify?.email !== undefined && recipient !== undefined) {
    const { sendMail } = await import("../events/mail");
    return sendMail(notify.email, wordsFor(reminder), recipient);
  }
}
