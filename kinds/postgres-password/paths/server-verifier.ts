import pg from "pg";
import { codeOf } from "../../../core/errors";

/** PostgreSQL: the run's login may not read passwords. */
const NOT_ALLOWED = "42501";

/**
 * The verifier that a pooler must have for a login: the server's, since PgBouncer logs in with it. Only a superuser may read
 * it; to any other the server has the one that this program computes.
 *
 * @param computed of the password that the role has.
 * @param adopted whether the server may have another verifier of the same password: then it gets this one.
 */
export async function verifierOnServer(
  client: pg.ClientBase,
  role: string,
  computed: string,
  adopted: boolean,
): Promise<string> {
  const found = await readVerifier(client, role);
  if (found?.startsWith("SCRAM-SHA-256$")) return found;
  if (adopted) await client.query(`ALTER ROLE ${pg.escapeIdentifier(role)} PASSWORD ${pg.escapeLiteral(computed)}`);
  return computed;
}

async function readVerifier(client: pg.ClientBase, role: string): Promise<string | undefined> {
  try {
    const { rows } = await client.query<{ verifier: string | null }>(
      "SELECT rolpassword AS verifier FROM pg_authid WHERE rolname = $1",
      [role],
    );
    return rows[0]?.verifier ?? undefined;
  } catch (error) {
    if (codeOf(error) === NOT_ALLOWED) return undefined;
    throw error;
  }
}
