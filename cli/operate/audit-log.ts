import type pg from "pg";
import { withClient } from "../../audit/connection";
import { clientConfig, type DatabaseReference } from "../../clients/postgres";
import { auditDatabase, referenceOf } from "../../config";
import { UsageError } from "./errors";
import type { Outline } from "./settings";

export type { LogRow } from "../../audit/queries";

/** How the audit log of a stack is reached; the password comes from PGPASSWORD or PGPASSFILE. */
export function auditConnection(outline: Pick<Outline, "audit" | "secrets">): pg.ClientConfig {
  return clientConfig(auditReference(outline));
}

/** Where the audit log of a stack is. @throws UsageError if the config names no database */
export function auditReference(outline: Pick<Outline, "audit" | "secrets">): DatabaseReference {
  const database = auditDatabase(outline);
  if (database !== undefined) return referenceOf(database);
  throw new UsageError("no database for secret_rotation_log: set the config key `audit`, { host, name }");
}

/**
 * Reads from the audit log of a stack; undefined if there is no log yet.
 * @throws AuditLogError if the database cannot be reached
 */
export function readLog<T>(
  outline: Pick<Outline, "audit" | "secrets">,
  read: (client: pg.Client) => Promise<T>,
): Promise<T | undefined> {
  return withClient(auditConnection(outline), async (client) => {
    const { rowCount } = await client.query(HAS_LOG);
    return rowCount === 0 ? undefined : read(client);
  });
}

// Before the migration the table has only the runbook's four columns.
const HAS_LOG = `
  SELECT FROM pg_attribute
  WHERE attrelid = to_regclass('secret_rotation_log') AND attname = 'hash' AND NOT attisdropped`;
