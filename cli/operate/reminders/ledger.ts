import type pg from "pg";
import type { Reminder } from "./kinds";

export const CHANNELS = ["slack", "email"] as const;

export type Channel = (typeof CHANNELS)[number];

/** A reminder for one channel, and for one recipient if the channel has several. */
export interface Delivery {
  readonly reminder: Reminder;
  readonly channel: Channel;
  /** An e-mail address. Each has a row of its own, so that one that was refused is tried again alone. */
  readonly recipient?: string;
}

const aboutOf = ({ reminder: { stack, environment, secret, generation, kind, day } }: Delivery) => [
  stack,
  environment,
  secret,
  generation,
  day === undefined ? kind : `${kind} ${day}`,
];

/** What the ledger calls it: `slack`, `email team@example.org`. Addresses ignore case. */
const nameOf = ({ channel, recipient }: Delivery) =>
  recipient === undefined ? channel : `${channel} ${recipient.toLowerCase()}`;

/** The deliveries that were not made yet. */
export async function undelivered(client: pg.ClientBase, deliveries: readonly Delivery[]): Promise<Delivery[]> {
  const found: Delivery[] = [];
  // A connection takes one query at a time.
  for (const delivery of deliveries) {
    const { rowCount } = await client.query(
      `SELECT FROM secret_rotation_reminders
       WHERE stack = $1 AND environment = $2 AND secret_name = $3 AND generation = $4 AND kind = $5 AND channel = ANY ($6)`,
      // Older rows name the channel alone, for all of its recipients.
      [...aboutOf(delivery), [nameOf(delivery), delivery.channel]],
    );
    if (rowCount === 0) found.push(delivery);
  }
  return found;
}

/**
 * Makes a delivery exactly once, also if two runs try at the same moment: the row is written first, and the second run
 * waits for it. A failed delivery rolls its row back, so that the next run tries again.
 *
 * @returns whether this call sent it
 */
export async function deliverOnce(
  client: pg.ClientBase,
  delivery: Delivery,
  now: Date,
  send: () => Promise<void>,
): Promise<boolean> {
  await client.query("BEGIN");
  try {
    const { rowCount } = await client.query(
      `INSERT INTO secret_rotation_reminders (stack, environment, secret_name, generation, kind, channel, sent_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
      [...aboutOf(delivery), nameOf(delivery), now.toISOString()],
    );
    if (rowCount === 1) await send();
    await client.query("COMMIT");
    return rowCount === 1;
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  }
}
