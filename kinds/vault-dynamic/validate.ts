import { APPLICATION, withDatabase } from "../../clients/postgres";
import { type Config, policyOf, referenceOf, type VaultDynamicConfig } from "../../config";
import { utc } from "../../core/clock";
import { graceEndsAt } from "../../core/deadlines";
import { identifier } from "../../core/login-view";
import { activeGeneration, type SecretState } from "../../core/state";
import type { Check, StackView } from "../kind-operations";
import { definitionChanged, leasePath, leasesOf, proveLease, roleInVault, rolePath } from "./facts";

/** Vault makes the logins: each service's role must be as the config has it, work, and be what the service uses. */
export function leaseChecks({ config, now }: StackView, secret: VaultDynamicConfig, state: SecretState): Check[] {
  const { restart: services } = secret;
  return [
    { point: "secret updated", look: () => rolesAsDescribed(config, secret, state) },
    {
      point: "new credential works",
      look: async () => {
        const proofs: string[] = [];
        for (const service of services) {
          const { actingAs, ttl } = await proveLease(config, secret, service);
          proofs.push(`${leasePath(secret, service)} (acts as ${actingAs}, ${ttl} s)`);
        }
        return `a login made by Vault works, and was ended: ${proofs.join(", ")}`;
      },
    },
    {
      point: "services use it",
      look: async () => {
        const held = await Promise.all(services.map((service) => leaseWords(config, secret, service)));
        return `${held.join(", ")}; ${await sessionsOfLogins(secret)}`;
      },
    },
    { point: "old credential invalid", look: () => ownerEnded(config, secret, state, now) },
  ];
}

async function rolesAsDescribed(config: Config, secret: VaultDynamicConfig, state: SecretState): Promise<string> {
  if (definitionChanged(secret, state)) {
    throw new Error("the config's definition of the logins differs from the last update's: `rotation run`");
  }
  const [defaultTtl, maxTtl] = [secret.defaultTtl / 1000, secret.maxTtl / 1000];
  for (const service of secret.restart) {
    const found = await roleInVault(config, secret, service);
    const path = rolePath(secret, service);
    if (found === undefined) throw new Error(`Vault has no role ${path}: \`pulumi up --refresh\` makes it`);
    if (found.defaultTtl !== defaultTtl || found.maxTtl !== maxTtl) {
      throw new Error(
        `expected a ttl of ${defaultTtl} s and at most ${maxTtl} s at ${path}, found ${found.defaultTtl} s and ` +
          `${found.maxTtl} s: it was changed; \`pulumi up --refresh\` fixes it`,
      );
    }
  }
  return `${secret.restart.length} roles in Vault: ${defaultTtl} s from one renewal to the next, ${maxTtl} s at the most`;
}

async function leaseWords(config: Config, secret: VaultDynamicConfig, service: string): Promise<string> {
  const held = await leasesOf(config, secret, service);
  if (held.length === 0) throw new Error(`${service} holds no lease of Vault; \`rotation diagnose\` says what to do`);
  return `${service} holds ${held.length === 1 ? "a lease" : `${held.length} leases`}`;
}

/** `pg_stat_activity`: sessions of logins that Vault made, and none of the owner, whose password is not rotated. */
function sessionsOfLogins({ role, database }: VaultDynamicConfig): Promise<string> {
  return withDatabase(referenceOf(database), async (client) => {
    const { rows } = await client.query<{ leased: number; owner: number }>(
      `SELECT count(*) FILTER (WHERE r.rolvaliduntil < 'infinity' AND r.rolname <> $1)::int AS leased,
              count(*) FILTER (WHERE r.rolname = $1)::int AS owner
       FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
       WHERE a.datname = current_database() AND a.application_name <> $2 AND pg_has_role(r.oid, $1, 'MEMBER')`,
      [role, APPLICATION],
    );
    const { leased = 0, owner = 0 } = rows[0] ?? {};
    if (owner > 0) throw new Error(`${owner} sessions log in as ${role} itself, with a password that is not rotated`);
    if (leased === 0) throw new Error("no session uses a login that Vault made");
    return `${leased} sessions of logins that Vault made`;
  });
}

/** The owner's own password is older: it may work through the grace period after services moved to leases. */
async function ownerEnded(config: Config, secret: VaultDynamicConfig, state: SecretState, now: Date): Promise<string> {
  const { role, database } = secret;
  const mayLogIn = await withDatabase(referenceOf(database), async (client) => {
    const { rowCount } = await client.query("SELECT FROM pg_roles WHERE rolname = $1 AND rolcanlogin", [role]);
    return rowCount === 1;
  });
  if (!mayLogIn) return `${role} may not log in, and each lease ends by itself`;
  const end = graceEndsAt(state, policyOf(config, secret));
  if (activeGeneration(state) > 1 || now >= end) {
    throw new Error(
      `${role} may still log in with a password that is not rotated: \`ALTER ROLE ${identifier(role)} NOLOGIN\``,
    );
  }
  return `each lease ends by itself; ${role} may log in, as intended, until ${utc(end)}: then \`ALTER ROLE ${identifier(role)} NOLOGIN\``;
}
