import { grantWriter, isCurrent, schemaToMigrate } from "../../audit/log";
import { type DatabaseReference, withDatabase } from "../../clients/postgres";
import { StepError } from "../../core/errors";

/** The message for a database that is no standby and takes no writes. */
export const readOnly = ({ host, port, database }: DatabaseReference) =>
  `${database} on ${host}:${port} takes no writes now: default_transaction_read_only is on, as after a full disk or during ` +
  "maintenance. Find out why (`SELECT source, sourcefile FROM pg_settings WHERE name = 'default_transaction_read_only'`), " +
  "make it writable and run this again";

/** The audit log's database answers and takes rows, or the run may migrate it. */
export function checkAuditLog(reference: DatabaseReference): Promise<string> {
  return withDatabase(reference, async (client) => {
    const { rows } = await client.query(
      "SELECT pg_is_in_recovery() AS standby, current_setting('transaction_read_only') AS readonly, to_regclass('secret_rotation_log')::text AS log",
    );
    if (rows[0].standby) throw new StepError("the audit log's database is a standby and read-only");
    if (rows[0].readonly === "on") throw new StepError(readOnly(reference));
    if (!(await isCurrent(client))) {
      // The row comes last: without this check the rotation would be done before it shows that the row cannot be written.
      return `secret_rotation_log will be created or migrated in schema ${await schemaToMigrate(client)}`;
    }
    const may = await client.query("SELECT has_table_privilege('secret_rotation_log', 'INSERT') AS insert");
    if (!may.rows[0].insert) throw new StepError(`no INSERT on secret_rotation_log: \`${grantWriter(client)}\``);
    return "secret_rotation_log takes rows";
  });
}
