import { randomUUID } from "node:crypto";
import type pg from "pg";
import {
  type CloudEvent,
  cloudEventType,
  type EventData,
  type EventType,
  type NewEvent,
  sourceOf,
} from "../core/events";

/** How long an event is tried. After that it stays in the outbox and is not sent any more. */
export const DELIVERY_DAYS = 7;

/** Whose events, and for which receiver. */
export interface Queue {
  readonly stack: string;
  readonly environment: string;
  readonly target: string;
}

/**
 * Writes an event and one open delivery for each receiver, in the caller's transaction. Without receivers it writes
 * nothing, nor for an occasion that was written before.
 *
 * @returns whether it was written
 */
export async function recordEvent(client: pg.ClientBase, event: NewEvent): Promise<boolean> {
  const { type, time, data, targets, occasion } = event;
  if (targets.length === 0) return false;
  const { rowCount } = await client.query(
    `WITH event AS (
       INSERT INTO secret_rotation_events (event_id, type, stack, environment, secret_name, time, data, occasion)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (occasion) DO NOTHING RETURNING id)
     INSERT INTO secret_rotation_deliveries (event, target) SELECT id, unnest($9::text[]) FROM event`,
    [
      ...[randomUUID(), type, data.stack, data.environment, data.secret, time.toISOString(), JSON.stringify(data)],
      ...[occasion ?? null, targets],
    ],
  );
  return rowCount !== 0;
}

const OPEN = `delivery.delivered_at IS NULL AND event.recorded_at > now() - interval '${DELIVERY_DAYS} days'`;

const OF_STACK = "event.stack = $1 AND event.environment = $2";

/** The receivers that have an event to get, with their number. */
export async function openDeliveries(
  client: pg.ClientBase,
  { stack, environment }: Omit<Queue, "target">,
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await client.query<{ target: string; count: string }>(
    `SELECT target, count(*) FROM secret_rotation_deliveries AS delivery
     JOIN secret_rotation_events AS event ON event.id = delivery.event
     WHERE ${OF_STACK} AND ${OPEN} GROUP BY target ORDER BY target`,
    [stack, environment],
  );
  return new Map(rows.map(({ target, count }) => [target, Number(count)]));
}

// Only the oldest open one: events arrive in their order. While another runner sends it, there is none for this one.
const NEXT = `
  SELECT event.* FROM secret_rotation_deliveries AS delivery
  JOIN secret_rotation_events AS event ON event.id = delivery.event
  WHERE ${OF_STACK} AND delivery.target = $3 AND ${OPEN} AND delivery.event = (
    SELECT min(delivery.event) FROM secret_rotation_deliveries AS delivery
    JOIN secret_rotation_events AS event ON event.id = delivery.event
    WHERE ${OF_STACK} AND delivery.target = $3 AND ${OPEN})
  FOR UPDATE OF delivery SKIP LOCKED`;

/** What became of one delivery. */
export interface Attempt {
  readonly event: CloudEvent;
  /** Why it failed; undefined if the receiver has it. */
  readonly error?: string;
}

/**
 * Sends the oldest open event of a receiver and marks it, at least once: if this process dies after it was sent, it is
 * sent again. Two runners never send to the same receiver at the same moment.
 *
 * @param send throws if the receiver did not take it; the message is kept beside the delivery, so it holds no secret
 * @returns undefined if there is none, or another runner is sending
 */
export async function deliverNext(
  client: pg.ClientBase,
  { stack, environment, target }: Queue,
  send: (event: CloudEvent) => Promise<string | undefined>,
): Promise<Attempt | undefined> {
  await client.query("BEGIN");
  try {
    const [row] = (await client.query<EventRow>(NEXT, [stack, environment, target])).rows;
    if (row === undefined) return undefined;
    const event = cloudEventOf(row);
    const error = await send(event);
    await client.query(
      `UPDATE secret_rotation_deliveries
       SET attempts = attempts + 1, attempted_at = clock_timestamp(), error = $3,
           delivered_at = CASE WHEN $3::text IS NULL THEN clock_timestamp() END
       WHERE event = $1 AND target = $2`,
      [row.id, target, error ?? null],
    );
    return { event, ...(error === undefined ? {} : { error }) };
  } finally {
    // Also if the session broke meanwhile: then the delivery stays open.
    await client.query("COMMIT").catch(() => undefined);
  }
}

interface EventRow {
  readonly id: string;
  readonly event_id: string;
  readonly type: EventType;
  readonly stack: string;
  readonly time: Date;
  readonly data: EventData;
}

const cloudEventOf = ({ event_id, type, stack, time, data }: EventRow): CloudEvent => ({
  specversion: "1.0",
  id: event_id,
  source: sourceOf(stack),
  type: cloudEventType(type),
  subject: data.secret,
  time: time.toISOString(),
  datacontenttype: "application/json",
  data,
});

/** An event with what became of it, for `rotation events list`. */
export interface ListedEvent {
  readonly event: CloudEvent;
  readonly deliveries: readonly {
    readonly target: string;
    readonly deliveredAt: string | null;
    readonly attempts: number;
    readonly error: string | null;
    /** Not delivered within {@link DELIVERY_DAYS} days: it is not tried any more. */
    readonly expired: boolean;
  }[];
}

/** The newest events of a stack, newest first. */
export async function listEvents(
  client: pg.ClientBase,
  { stack, environment }: Omit<Queue, "target">,
  limit: number,
): Promise<ListedEvent[]> {
  const { rows } = await client.query<EventRow & { deliveries: ListedEvent["deliveries"] }>(
    `SELECT event.*, (
       SELECT coalesce(json_agg(json_build_object(
         'target', target, 'deliveredAt', delivered_at, 'attempts', attempts, 'error', error,
         'expired', delivered_at IS NULL AND event.recorded_at <= now() - interval '${DELIVERY_DAYS} days')
         ORDER BY target), '[]')
       FROM secret_rotation_deliveries WHERE event = event.id) AS deliveries
     FROM secret_rotation_events AS event WHERE ${OF_STACK} ORDER BY id DESC LIMIT $3`,
    [stack, environment, limit],
  );
  return rows.map((row) => ({ event: cloudEventOf(row), deliveries: row.deliveries }));
}

/** Whether a failure of a secret was recorded since a time. */
export async function hasFailedSince(
  client: pg.ClientBase,
  { stack, environment, secret }: Omit<Queue, "target"> & { readonly secret: string },
  since: string,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM secret_rotation_events AS event
     WHERE ${OF_STACK} AND secret_name = $3 AND type = 'failed' AND time >= $4 LIMIT 1`,
    [stack, environment, secret, since],
  );
  return rowCount !== 0;
}
