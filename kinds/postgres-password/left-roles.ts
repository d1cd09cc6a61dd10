import type { PreviousSecrets } from "../../components/stack-secrets";
import { type Config, ConfigError, isMadeByVault, type PostgresPasswordConfig, referenceOf } from "../../config";
import { slotRole } from "./roles";

/** Login roles that are there although the stack does not know them, by the secret's name. */
export type LeftRoles = Readonly<Record<string, readonly string[] | undefined>>;

/**
 * Asks the server for login roles of ours that the stack does not know: a first update was killed between `CREATE ROLE`
 * and its being saved, or the secret was taken out of the config and put back. They are taken over. Never throws: where
 * the server does not answer, the preflight says so.
 */
export async function seeLeftRoles(config: Config, previous: PreviousSecrets): Promise<LeftRoles> {
  const left = config.secrets.map(async (secret): Promise<[string, readonly string[]][]> => {
    if (secret.kind !== "postgres-password" || secret.strategy !== "alternating-users") return [];
    if (previous[secret.name] !== undefined) return [];
    return [[secret.name, await leftRoles(secret).catch(() => [])]];
  });
  return Object.fromEntries((await Promise.all(left)).flat());
}

/**
 * For a preview, which runs no preflight: every role that would be adopted exists. A server that does not answer is the
 * preflight's to tell.
 *
 * @throws ConfigError for one that does not
 */
export async function assertRolesExist(config: Config, previous: PreviousSecrets, stack: string): Promise<void> {
  for (const secret of config.secrets) {
    if (secret.kind !== "postgres-password" || isMadeByVault(secret) || previous[secret.name] !== undefined) continue;
    const exists = await roleExists(secret).catch(() => true);
    if (!exists) {
      throw new ConfigError(stack, [
        `secrets: ${secret.name}: the role ${secret.role} does not exist; roles are adopted, never created: correct \`role\``,
      ]);
    }
  }
}

/**
 * Ours is a role that acts as the owner from its login on (or as the role that the owner itself acts as), and is a member
 * of it: nobody else makes such roles.
 */
const OURS = `SELECT slot.rolname FROM pg_roles owner
  JOIN pg_auth_members ON roleid = owner.oid
  JOIN pg_roles slot ON slot.oid = member
  WHERE owner.rolname = $1 AND slot.rolname = ANY ($2)
    AND slot.rolconfig && (ARRAY['role=' || owner.rolname, 'role=' || quote_ident(owner.rolname)] ||
      ARRAY(SELECT entry FROM unnest(owner.rolconfig) AS entry WHERE entry LIKE 'role=%'))`;

async function leftRoles({ database, role }: PostgresPasswordConfig): Promise<readonly string[]> {
  const names = [slotRole(role, 0), slotRole(role, 1)];
  return namesOf(database, OURS, [role, names]);
}

const roleExists = async ({ database, role }: PostgresPasswordConfig): Promise<boolean> =>
  (await namesOf(database, "SELECT rolname FROM pg_roles WHERE rolname = $1", [role])).length > 0;

async function namesOf(database: PostgresPasswordConfig["database"], sql: string, values: readonly unknown[]) {
  // Loaded when used: after its first update a stack never asks.
  const steps = await import("../../clients/postgres");
  return steps.withDatabase(referenceOf(database), async (client) => {
    const { rows } = await client.query<{ rolname: string }>(sql, [...values]);
    return rows.map(({ rolname }) => rolname);
  });
}
