import type pg from "pg";
import { withClient } from "../audit/connection";
import { isCurrent } from "../audit/log";
import { auditDatabase } from "../config";
import { clientConfig } from "../steps/database";
import type { Outline } from "./settings";

export type { LogRow } from "../audit/queries";

/** How the audit log of a stack is reached; the password comes from PGPASSWORD or PGPASSFILE. */
export function auditConnection(outline: Pick<Outline, "audit" | "secrets">): pg.ClientConfig {
  const { host, port, name, admin, sslmode } = auditDatabase(outline);
  return clientConfig({ host, port, database: name, sslmode, ...(admin === undefined ? {} : { user: admin }) });
}

/**
 * Reads from the audit log of a stack; undefined where it was never written.
 * @throws AuditLogError where the database cannot be reached
 */
export function readLog<T>(
  outline: Pick<Outline, "audit" | "secrets">,
  read: (client: pg.Client) => Promise<T>,
): Promise<T | undefined> {
  return withClient(auditConnection(outline), async (client) => ((await isCurrent(client)) ? read(client) : undefined));
}
