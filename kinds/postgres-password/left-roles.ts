import { ConfigError, type PostgresPasswordConfig, referenceOf } from "../../config";
import { slotRole } from "./roles";

/**
 * Queries the server for login roles of ours that the stack does not know: a first update was killed between `CREATE ROLE`
 * and the save, or the secret was removed from the config and put back. They are adopted. Never throws: if the server does
 * not answer, the preflight reports it.
 */
export const seeLeftRoles = ({ database, role }: PostgresPasswordConfig): Promise<readonly string[]> =>
  namesOf(database, OURS, [role, [slotRole(role, 0), slotRole(role, 1)]]).catch(() => []);

/**
 * For a preview, which runs no preflight: the role that would be adopted exists. If the server does not answer, the
 * preflight reports it.
 *
 * @throws ConfigError for one that does not
 */
export async function assertRoleExists({ name, database, role }: PostgresPasswordConfig, stack: string): Promise<void> {
  const sql = "SELECT rolname FROM pg_roles WHERE rolname = $1";
  const found = await namesOf(database, sql, [role]).catch(() => [role]);
  if (found.length > 0) return;
  throw new ConfigError(stack, [
    `secrets: ${name}: the role ${role} does not exist; roles are adopted, never created: correct \`role\``,
  ]);
}

/**
 * Ours is a role that acts as the owner from its login on (or as the role that the owner itself acts as), and is a member
 * of it: only this program makes such roles.
 */
const OURS = `SELECT slot.rolname FROM pg_roles owner
  JOIN pg_auth_members ON roleid = owner.oid
  JOIN pg_roles slot ON slot.oid = member
  WHERE owner.rolname = $1 AND slot.rolname = ANY ($2)
    AND slot.rolconfig && (ARRAY['role=' || owner.rolname, 'role=' || quote_ident(owner.rolname)] ||
      ARRAY(SELECT entry FROM unnest(owner.rolconfig) AS entry WHERE entry LIKE 'role=%'))`;

async function namesOf(database: PostgresPasswordConfig["database"], sql: string, values: readonly unknown[]) {
  // Loaded when used: after its first update a stack never needs it.
  const steps = await import("../../clients/postgres");
  return steps.withDatabase(referenceOf(database), async (client) => {
    const { rows } = await client.query<{ rolname: string }>(sql, [...values]);
    return rows.map(({ rolname }) => rolname);
  });
}
