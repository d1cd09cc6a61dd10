import * as z from "zod";
import { databaseReference, withDatabase } from "../../clients/postgres";
import type { Vault } from "../../clients/vault";
import type { KindChecks } from "../../components/preflight/preflight";
import { StepError } from "../../core/errors";
import { vaultOf } from "../../stores";
import { checkOwnership, engineNeeds, vaultEngineInput } from "../vault-engine/preflight";

/** Logins that Vault makes for a short time, in the preflight's input. */
export const leasesInput = z.object({
  engine: vaultEngineInput,
  /** The roles in Vault, one for each service. */
  roles: z.array(z.string()),
  /** The database, and the role that owns its objects. */
  database: databaseReference.extend({ role: z.string() }),
  /** Whether an earlier update made the roles in Vault, so that they must be there. */
  taken: z.boolean(),
});

export type LeasesInput = z.output<typeof leasesInput>;

/** What the preflight of short-lived logins checks. */
export const leaseChecks: KindChecks<LeasesInput> = {
  input: leasesInput,
  of: (leases, { store }) => ({
    isStored: false,
    checks: [
      { name: "database engine", needs: ["store"], run: () => checkLeases(vaultOf(store), leases) },
      { name: "owner role", run: () => checkOwner(leases.database) },
    ],
  }),
};

/** What the token must be allowed to do, by path. */
function needsOf({ engine, roles }: LeasesInput): Record<string, string[]> {
  const { mount } = engine;
  return {
    ...engineNeeds(engine),
    ...Object.fromEntries(
      roles.flatMap((role) => [
        [`${mount}/roles/${role}`, ["create", "read", "update"]],
        [`${mount}/creds/${role}`, ["read"]],
        [`sys/leases/lookup/${mount}/creds/${role}/`, ["list", "sudo"]],
      ]),
    ),
    "sys/leases/lookup": ["update"],
    "sys/leases/revoke": ["update"],
  };
}

/** The token may make the roles, prove them and end older logins; what an earlier update made still exists. */
export async function checkLeases(client: Vault, given: LeasesInput): Promise<string> {
  await client.mayDo(needsOf(given));
  if (!given.taken) await checkOwnership(client, given.engine);
  const { mount } = given.engine;
  const there = await Promise.all(given.roles.map((role) => client.get(`${mount}/roles/${role}`)));
  const missing = given.roles.filter((_, index) => there[index] === undefined);
  if (given.taken && missing.length > 0) {
    const paths = missing.map((role) => `${mount}/roles/${role}`);
    throw new StepError(`Vault has no role ${paths.join(", ")} any more: \`pulumi up --refresh\` makes it`);
  }
  return `${given.roles.map((role) => `${mount}/creds/${role}`).join(", ")}${given.taken ? "" : " will be made"}`;
}

/** The role that owns the objects exists: logins become members of it. */
export function checkOwner({ role, ...database }: LeasesInput["database"]): Promise<string> {
  return withDatabase(database, async (client) => {
    const { rowCount } = await client.query("SELECT FROM pg_roles WHERE rolname = $1", [role]);
    if (rowCount === 0) {
      throw new StepError(
        `the role ${role} does not exist; it owns the objects and is never created: correct the config key \`role\``,
      );
    }
    return `${role} exists`;
  });
}
