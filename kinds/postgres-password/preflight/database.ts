import { type DatabaseReference, tryLogin, withDatabase } from "../../../clients/postgres";
import { readOnly } from "../../../components/preflight/audit-log";
import { StepError } from "../../../core/errors";
import { identifier } from "../../../core/login-view";

/** The admin can log in and may change the roles, which exist. */
export function checkDatabase(reference: DatabaseReference, roles: readonly string[]): Promise<string> {
  return withDatabase(reference, async (client) => {
    const { rows } = await client.query(
      "SELECT current_user AS admin, rolsuper, rolcreaterole, current_setting('server_version') AS version, current_setting('server_version_num')::int AS number, pg_is_in_recovery() AS standby, current_setting('transaction_read_only') AS readonly FROM pg_roles WHERE rolname = current_user",
    );
    const [me] = rows;
    if (me.standby)
      throw new StepError(`${reference.host}:${reference.port} is a standby and read-only; name the primary`);
    if (me.readonly === "on") throw new StepError(readOnly(reference));
    if (!me.rolsuper && !me.rolcreaterole) {
      throw new StepError(
        `${me.admin} may not change roles: expected CREATEROLE (\`ALTER ROLE ${identifier(me.admin)} CREATEROLE\`)`,
      );
    }
    const existing = await client.query(
      "SELECT rolname, pg_has_role(oid, 'MEMBER WITH ADMIN OPTION') AS admin FROM pg_roles WHERE rolname = ANY($1)",
      [roles],
    );
    const missing = roles.filter((role) => !existing.rows.some(({ rolname }) => rolname === role));
    if (missing.length > 0) {
      throw new StepError(
        `the role ${missing.join(", ")} does not exist; roles are adopted, never created: correct the config key \`role\``,
      );
    }
    // Before PostgreSQL 16 CREATEROLE reached every role that is not a superuser.
    const foreign = existing.rows.find(({ admin }) => !admin && me.number >= 160_000);
    if (foreign !== undefined) {
      throw new StepError(
        `${me.admin} may not change the role ${foreign.rolname}: expected ADMIN on it (\`GRANT ${identifier(foreign.rolname)} TO ` +
          `${identifier(me.admin)} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE\`, deploy/sql/managed-role.sql)`,
      );
    }
    return `PostgreSQL ${me.version}, ${me.admin}`;
  });
}

/**
 * The credential in use is proven before it is touched.
 *
 * @param whenForeign what to do if it is another one.
 */
export async function checkCurrentLogin(
  reference: DatabaseReference,
  login: { readonly username: string; readonly password: string },
  whenForeign: string,
): Promise<string> {
  const { outcome, evidence } = await tryLogin(reference, login);
  if (outcome === "works") return evidence;
  throw new StepError(outcome === "refused" ? `${evidence}. ${whenForeign}` : evidence);
}
