import * as z from "zod";
import { databaseReference, withDatabase } from "../../clients/postgres";
import type { Vault } from "../../clients/vault";
import type { KindChecks } from "../../components/preflight/preflight";
import { StepError } from "../../core/errors";
import { identifier } from "../../core/login-view";
import { vaultOf } from "../../stores";
import { checkOwnership, engineNeeds, vaultEngineInput } from "../vault-engine/preflight";
import { findRotation, readLogin, vaultRole } from "../vault-engine/role";

/** A password that Vault rotates, in the preflight's input. */
export const vaultRoleInput = vaultRole.extend({
  engine: vaultEngineInput,
  /** Whether it rotates by a schedule, which not every server supports. */
  schedule: z.boolean(),
  database: databaseReference.extend({ role: z.string() }),
  /** Whether an earlier update made the role in Vault, so that it must be there. */
  taken: z.boolean(),
});

export type VaultRoleInput = z.output<typeof vaultRoleInput>;

/** What the preflight checks for a password that Vault rotates. */
export const vaultRoleChecks: KindChecks<VaultRoleInput> = {
  input: vaultRoleInput,
  of: (role, { store }) => ({
    isStored: false,
    checks: [
      { name: "role in Vault", needs: ["store"], run: () => checkVaultRole(vaultOf(store), role) },
      { name: "login from Vault", needs: ["role in Vault"], run: () => checkVaultLogin(vaultOf(store), role) },
    ],
    async answer() {
      const rotation = await findRotation(vaultOf(store), role);
      return rotation === undefined ? {} : { lastVaultRotation: rotation };
    },
  }),
};

/** The token may describe the engine, have it rotate and read what it hands out; the server supports the config. */
export async function checkVaultRole(client: Vault, given: VaultRoleInput): Promise<string> {
  const { mount, name } = given;
  await client.mayDo({
    ...engineNeeds(given.engine),
    [`${mount}/static-roles/${name}`]: ["create", "read", "update"],
    [`${mount}/static-creds/${name}`]: ["read"],
    [`${mount}/rotate-role/${name}`]: ["update"],
  });
  if (!given.taken) await checkOwnership(client, given.engine);
  if (given.schedule) await checkSchedule(client, given);
  const rotation = await findRotation(client, given);
  if (given.taken && rotation === undefined) {
    throw new StepError(
      `Vault has no static role ${mount}/static-roles/${name} any more: \`pulumi up --refresh\` makes it`,
    );
  }
  return rotation === undefined ? `${mount}/static-roles/${name} will be made` : `Vault rotated it last at ${rotation}`;
}

interface Help {
  readonly openapi?: { readonly components?: { readonly schemas?: Record<string, { properties?: object }> } };
}

/** The engine's own description says whether it supports schedules; if it is not mounted yet, its first answer does. */
async function checkSchedule(client: Vault, { mount, name }: VaultRoleInput): Promise<void> {
  const help = await client.get<Help>(`${mount}/static-roles/${name}`, { help: "1" });
  const schemas = Object.values(help?.openapi?.components?.schemas ?? {});
  if (schemas.length === 0 || schemas.some(({ properties }) => properties && "rotation_schedule" in properties)) return;
  throw new StepError(
    "this server has no schedules (OpenBao, and Vault before 1.15): set rotationPeriod instead of rotationSchedule",
  );
}

/** The role exists in the database; the login that Vault hands out works, if there is one. */
export async function checkVaultLogin(client: Vault, { database, ...role }: VaultRoleInput): Promise<string> {
  const found = await withDatabase(database, async (admin) => {
    const { rows } = await admin.query("SELECT rolcanlogin FROM pg_roles WHERE rolname = $1", [database.role]);
    return rows[0] as { rolcanlogin: boolean } | undefined;
  });
  if (found === undefined) {
    throw new StepError(
      `the role ${database.role} does not exist; roles are adopted, never created: correct the config key \`role\``,
    );
  }
  if (!found.rolcanlogin)
    throw new StepError(`${database.role} may not log in: \`ALTER ROLE ${identifier(database.role)} LOGIN\``);
  if ((await findRotation(client, role)) === undefined) return `${database.role} exists`;
  const { username, password } = await readLogin(client, role);
  const { user: _, ...reference } = database;
  return withDatabase(
    { ...reference, user: username },
    async (own) => `${(await own.query("SELECT session_user")).rows[0].session_user} logs in with what Vault hands out`,
    password,
  );
}
