import type pg from "pg";
import { codeOf } from "../core/errors";
import type { NewEvent } from "../core/events";
import { quoted } from "../core/shell-word";
import { withClient } from "./connection";
import { type AuditEntry, type AuditEntryInput, canonicalJson, parseEntry } from "./entry";
import { AuditLogError } from "./errors";
import { grantWriter, logOwner, migrateIfNeeded } from "./migrate";
import { recordEvent } from "./outbox";

export { grantWriter, isCurrent, migrate, schemaToMigrate } from "./migrate";

/** A row's place in the chain. Kept elsewhere, it shows later whether the rows up to it are still there. */
export interface Recorded {
  readonly id: number;
  readonly hash: string;
  /** The log had a row of this step already; nothing was written. */
  readonly existing: boolean;
}

const LOCK_LIMIT = "30s";
const ANSWER_LIMIT_MS = 120_000;

const INSERT = `
  INSERT INTO secret_rotation_log
    (secret_name, rotated_by, rotation_date, status, stack, environment, action, generation, reason, outputs,
     duration_seconds, step_key)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
  ON CONFLICT (step_key) DO NOTHING
  RETURNING id, hash`;

const values = (entry: AuditEntry) => [
  entry.secretName,
  entry.rotatedBy,
  entry.rotationDate,
  entry.status,
  entry.stack,
  entry.environment,
  entry.action,
  entry.generation,
  entry.reason,
  entry.outputs === null ? null : canonicalJson(entry.outputs),
  entry.durationSeconds,
  entry.stepKey,
];

/**
 * Appends a row; the database's trigger gives it its place in the chain, one writer at a time.
 * A second append with the same `stepKey` writes nothing and returns the first row.
 * @throws AuditEntryError for an entry that is not valid.
 */
export async function append(client: pg.ClientBase, entry: AuditEntryInput): Promise<Recorded> {
  const complete = parseEntry(entry);
  const inserted = await client.query<{ id: string; hash: string }>(INSERT, values(complete));
  const row = inserted.rows[0] ?? (await findStep(client, complete.stepKey));
  return { id: Number(row.id), hash: row.hash, existing: inserted.rows.length === 0 };
}

async function findStep(client: pg.ClientBase, stepKey: string | null): Promise<{ id: string; hash: string }> {
  const found = await client.query<{ id: string; hash: string }>(
    "SELECT id, hash FROM secret_rotation_log WHERE step_key = $1",
    [stepKey],
  );
  if (found.rows[0]) return found.rows[0];
  throw new AuditLogError(`secret_rotation_log took no row and holds none of step ${stepKey}; run the step again.`);
}

/**
 * Connects, migrates if the tables are older than this program (which needs their owner; an up-to-date log needs
 * membership in `rotation_audit_writer` alone), appends and closes. Waits at most 30 s for another writer.
 * @param eventOf the event of a row that is new, written with it or not at all
 * @throws AuditEntryError, AuditLogError, or PostgreSQL's own error.
 */
export async function recordEntry(
  connection: pg.ClientConfig,
  entry: AuditEntryInput,
  eventOf?: (row: Recorded) => NewEvent,
): Promise<Recorded> {
  const complete = parseEntry(entry);
  return withClient({ query_timeout: ANSWER_LIMIT_MS, ...connection }, async (client) => {
    try {
      await migrateIfNeeded(client);
      await client.query("SELECT set_config('lock_timeout', $1, false)", [LOCK_LIMIT]);
      if (eventOf === undefined) return await append(client, complete);
      await client.query("BEGIN");
      const recorded = await append(client, complete);
      if (!recorded.existing) await recordEvent(client, eventOf(recorded));
      await client.query("COMMIT");
      return recorded;
    } catch (error) {
      throw explained(client, error);
    }
  });
}

function explained(client: pg.Client, error: unknown): unknown {
  const code = codeOf(error);
  if (code === "42501") {
    return new AuditLogError(
      `User ${client.user} may not write secret_rotation_log: ${(error as Error).message}. As its owner: \`${grantWriter(client)}\``,
      { cause: error },
    );
  }
  if (code === "55P03") {
    return new AuditLogError(
      `Another transaction held secret_rotation_log for more than ${LOCK_LIMIT}. Find it with \`SELECT pid, usename, state, query FROM pg_stat_activity WHERE pid IN (SELECT pid FROM pg_locks WHERE relation = 'secret_rotation_log'::regclass)\``,
      { cause: error },
    );
  }
  return error;
}

/**
 * Removes the oldest rows up to `before` (without it) and logs that as a PRUNE row; events of that time are removed too.
 * Needs the table's owner.
 * @returns the number of rows removed.
 * @throws AuditLogError for any other login, and PostgreSQL's error if `before` is younger than the retention of two years.
 */
export async function prune(client: pg.Client, before: Date, by: string): Promise<number> {
  try {
    const { rows } = await client.query<{ removed: string }>("SELECT prune_secret_rotation_log($1, $2) AS removed", [
      before.toISOString(),
      by,
    ]);
    await client.query("DELETE FROM secret_rotation_events WHERE time < $1", [before.toISOString()]);
    return Number(rows[0]?.removed ?? 0);
  } catch (error) {
    if (codeOf(error) !== "42501") throw error;
    throw new AuditLogError(
      `User ${client.user} may not remove rows of secret_rotation_log; its owner may: run this again with \`PGUSER=${quoted(await logOwner(client))}\``,
      { cause: error },
    );
  }
}
