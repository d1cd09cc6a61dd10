import type pg from "pg";
import { withClient } from "../../../audit/connection";
import { migrateIfNeeded } from "../../../audit/migrate";
import { deliverNext, openDeliveries, type Queue } from "../../../audit/outbox";
import type { EventTargetConfig } from "../../../config";
import { messageOf } from "../../../core/errors";
import type { CloudEvent } from "../../../core/events";
import { redact } from "../../../core/redact";
import { auditConnection } from "../audit-log";
import type { Project } from "../project";
import { secretsToRedact } from "../secrets";
import { type Outline, readConfig, readOutline } from "../settings";
import { sendEvent } from "./send";

/** One event that was sent to one receiver, or was not taken. */
export interface Delivered {
  readonly target: string;
  readonly id: string;
  /** The event's type, such as `secret-rotation.finished`. */
  readonly type: string;
  readonly secret: string;
  readonly outcome: "sent" | "failed";
  readonly error?: string;
}

/**
 * Sends every open event of a stack to its receivers, oldest first. All receivers at the same time; one that does not take
 * an event gets none of the later ones before it. If there is nothing to send, it neither starts Pulumi nor decrypts
 * anything.
 */
export async function deliverEvents(project: Project, outline?: Outline): Promise<Delivered[]> {
  const { environment, events, ...rest } = outline ?? (await readOutline(project));
  const names = Object.keys(events);
  if (names.length === 0) return [];
  const connection = auditConnection(rest);
  const about = { stack: project.stack, environment };
  const open = await withClient(connection, async (client) => {
    await migrateIfNeeded(client);
    return openDeliveries(client, about);
  });
  const waiting = names.filter((name) => open.has(name));
  if (waiting.length === 0) return [];
  const config = await readConfig(project);
  const secrets = secretsToRedact(project, config);
  const sent = waiting.map((name) => {
    const target = config.events[name];
    return target === undefined ? [] : deliverTo(target, { ...about, target: name }, connection, secrets);
  });
  return (await Promise.all(sent)).flat();
}

/**
 * Sends to one receiver until nothing is open, or it does not take one.
 *
 * @param connection the audit log's database
 * @param secrets redacted in the messages of failures
 */
export function deliverTo(
  target: EventTargetConfig,
  queue: Queue,
  connection: pg.ClientConfig,
  secrets: readonly string[],
): Promise<Delivered[]> {
  const send = (event: CloudEvent) =>
    sendEvent(target, event).then(
      () => undefined,
      (error: unknown) => redact(messageOf(error), secrets),
    );
  return withClient(connection, async (client) => {
    const done: Delivered[] = [];
    for (;;) {
      const attempt = await deliverNext(client, queue, send);
      if (attempt === undefined) return done;
      const { event, error } = attempt;
      const { id, type, subject: secret } = event;
      const about = { target: queue.target, id, type, secret };
      done.push(error === undefined ? { ...about, outcome: "sent" } : { ...about, outcome: "failed", error });
      if (error !== undefined) return done;
    }
  });
}

/** What to say of receivers that took no event; a delivery never makes a run fail. */
export async function deliverAfterRun(project: Project, note: (text: string) => void): Promise<void> {
  const again = "sent again by the next run, `rotation remind` or `rotation events deliver`";
  try {
    for (const { target, error } of await deliverEvents(project)) {
      if (error !== undefined) note(`events for ${target}: ${error}; ${again}`);
    }
  } catch (error) {
    note(`events were not sent: ${messageOf(error)}; ${again}`);
  }
}
