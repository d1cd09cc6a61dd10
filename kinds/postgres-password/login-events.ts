import type pg from "pg";
import { OWN_APPLICATIONS } from "../../clients/postgres";
import type { LoginUse } from "../../core/login-use";

/** The server notes a login of the same user once a minute, so a look goes back further than to the last one, in seconds. */
const NOTED_EVERY = 60;

/**
 * The logins as `role` that the server's login trigger has noted (`deploy/sql/login-trigger.sql`); none without it.
 *
 * @param seconds how long ago the last look was
 */
export async function notedLogins(client: pg.ClientBase, role: string, seconds: number): Promise<LoginUse[]> {
  const installed = await client.query(
    `SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname = 'rotation_login_events'
       AND proname = 'logins' AND has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')`,
  );
  if (installed.rowCount === 0) return [];
  const { rows } = await client.query<{ application: string; client: string; at: Date }>(
    "SELECT application, client, at FROM rotation_login_events.logins($1, $2) WHERE application <> ALL ($3)",
    [role, seconds + 2 * NOTED_EVERY, OWN_APPLICATIONS],
  );
  return rows.map(({ application, client: from, at }) => ({
    kind: "session",
    application,
    client: from,
    since: at.toISOString(),
  }));
}
