import { migrateIfNeeded } from "../../audit/migrate";
import type { Config, NotifyConfig } from "../../config";
import { redact } from "../../rotation/redact";
import type { LogRow } from "../audit-log";
import { UsageError } from "../errors";
import { readOutputs } from "../outputs";
import type { Project } from "../project";
import { configSecrets, environmentSecrets } from "../secrets";
import { clockOf, type Outline, readConfig, readOutline } from "../settings";
import { type Reminder, remindersAt } from "./kinds";
import { type Channel, type Delivery, deliverOnce, undelivered } from "./ledger";

/** What became of one reminder on one channel. */
export interface Sent {
  readonly secret: string;
  readonly generation: number;
  readonly kind: Reminder["kind"];
  readonly channel: Channel;
  readonly outcome: "sent" | "sent by another run" | "failed";
  readonly error?: string;
}

/**
 * Tells what is to be told, each thing once per secret, generation, kind and channel. Safe to run every hour and twice
 * at once. Where nothing is to be told it neither starts Pulumi nor decrypts anything.
 *
 * @throws UsageError where the config names no channel
 */
export async function remind(project: Project): Promise<Sent[]> {
  const outline = await readOutline(project);
  const outputs = await readOutputs(project);
  const [{ withClient }, { auditConnection }, { lastRowOfEach }] = await Promise.all([
    import("../../audit/connection"),
    import("../audit-log"),
    import("../../audit/queries"),
  ]);
  return withClient(auditConnection(outline), async (client) => {
    await migrateIfNeeded(client);
    const rows: LogRow[] = await lastRowOfEach(client, { environment: outline.environment });
    const now = clockOf(outline);
    const reminders = remindersAt(project.stack, outline, outputs, rows, now);
    const channels = await channelsOf(project, outline);
    const wanted = reminders.flatMap((reminder) => channels.map((channel): Delivery => ({ reminder, channel })));
    const open = await undelivered(client, wanted);
    if (open.length === 0) return [];
    const config = await readConfig(project);
    const sent: Sent[] = [];
    for (const delivery of open) sent.push(await attempt(client, delivery, now, config, project));
    return sent;
  });
}

async function channelsOf(project: Project, outline: Outline): Promise<Channel[]> {
  // A `notify` that is secret as a whole cannot be looked into without Pulumi.
  const notify = outline.notify ?? (await readConfig(project)).notify;
  if (notify === undefined) {
    throw new UsageError(
      "nobody would be told: set the config key `notify`, for example `pulumi config set --secret --path notify.slackWebhook`",
    );
  }
  return [
    ...(notify.slackWebhook === undefined ? [] : (["slack"] as const)),
    ...(notify.email === undefined ? [] : (["email"] as const)),
  ];
}

async function attempt(
  client: Parameters<typeof deliverOnce>[0],
  delivery: Delivery,
  now: Date,
  config: Config,
  { env }: Project,
): Promise<Sent> {
  const { reminder, channel } = delivery;
  const about = { secret: reminder.secret, generation: reminder.generation, kind: reminder.kind, channel };
  try {
    const own = await deliverOnce(client, delivery, now, () => send(config.notify, delivery));
    return { ...about, outcome: own ? "sent" : "sent by another run" };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { ...about, outcome: "failed", error: redact(text, [...environmentSecrets(env), ...configSecrets(config)]) };
  }
}

async function send(notify: NotifyConfig | undefined, { channel, reminder }: Delivery): Promise<void> {
  if (channel === "slack" && notify?.slackWebhook !== undefined) {
    const { sendToSlack } = await import("./slack");
    return sendToSlack(notify.slackWebhook, reminder);
  }
  if (channel === "email" && notify?.email !== undefined) {
    const { sendMail } = await import("./mail");
    return sendMail(notify.email, reminder);
  }
}
