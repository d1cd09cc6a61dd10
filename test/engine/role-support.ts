import { randomBytes } from "node:crypto";
import pg from "pg";
import { scramVerifier } from "../../core/scram";
import type { Bench } from "./harness";

/** Changes a role's password by hand as psql's `\password` does: the server and its log see the verifier alone. */
export async function changePassword({ lab }: Bench, role: string, password: string): Promise<void> {
  const verifier = scramVerifier(password, randomBytes(16).toString("base64"));
  await lab.postgres.query(`ALTER ROLE ${pg.escapeIdentifier(role)} PASSWORD ${pg.escapeLiteral(verifier)}`);
}

/** All that PostgreSQL knows of a role but its password, memberships and settings included. */
export async function roleAttributes({ lab }: Bench, role: string): Promise<Record<string, unknown>> {
  const { rows } = await lab.postgres.query(
    `SELECT r.*, NULL AS rolpassword,
            ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
                  WHERE m.member = r.oid ORDER BY 1) AS member_of
     FROM pg_roles r WHERE rolname = $1`,
    [role],
  );
  if (rows[0] === undefined) throw new Error(`no role ${role}`);
  return rows[0];
}

/** What PostgreSQL holds of each login role's password: changes exactly when a password is set. */
export async function verifiers({ lab }: Bench): Promise<Record<string, string | null>> {
  const { rows } = await lab.postgres.query(
    "SELECT rolname, rolpassword FROM pg_authid WHERE rolname LIKE 'trader%' ORDER BY rolname",
  );
  return Object.fromEntries(rows.map(({ rolname, rolpassword }) => [rolname, rolpassword]));
}
