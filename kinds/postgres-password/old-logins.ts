import { type PostgresPasswordConfig, referenceOf, type SecretConfig } from "../../config";
import { graceEndsAt, graceIsOver, graceLimitAt } from "../../core/deadlines";
import { messageOf } from "../../core/errors";
import { useWords } from "../../core/login-use";
import type { Policy } from "../../core/policy";
import { other, type SecretState } from "../../core/state";
import { poolersOf } from "./paths/schema";
import { pooledUse } from "./paths/use";
import { activeUsername } from "./roles";

/** Who still uses a login whose grace period is over, in words; empty if it is unused, undefined if not checked. */
export interface PasswordSeen {
  readonly previousInUse?: string | undefined;
}

/**
 * Queries the server for users of a login whose grace period is over, before an update revokes it; undefined if there is
 * nothing to check. Never throws: if the server does not answer, the login may be in use, so it stays.
 */
export async function seeOldLogin(
  secret: PostgresPasswordConfig,
  policy: Policy,
  state: SecretState | undefined,
  now: Date,
): Promise<string | undefined> {
  if (!isAlternating(secret) || state === undefined || !graceIsOver(state, policy, now)) return undefined;
  return oldLoginUse(secret, state);
}

/** The login that the active one replaced. */
const previousUsername = ({ strategy, role }: PostgresPasswordConfig, state: SecretState): string =>
  activeUsername(strategy, role, { ...state, active: other(state.active) });

async function oldLoginUse(secret: PostgresPasswordConfig, state: SecretState): Promise<string> {
  // Loaded when used: most updates revoke no login.
  const [{ withDatabase }, { usesOf }] = await Promise.all([import("../../clients/postgres"), import("./login-use")]);
  const role = previousUsername(secret, state);
  try {
    const pooled = await pooledUse(poolersOf(secret), role);
    return await withDatabase(referenceOf(secret.database), async (client) =>
      useWords(await usesOf(client, role, pooled)),
    );
  } catch (error) {
    return `unknown (${messageOf(error)})`;
  }
}

/** The warning about a login that is kept because it is in use; undefined if there is none. */
export function keptLogin(
  secret: SecretConfig,
  state: SecretState,
  inUse: string | undefined,
  policy: Policy,
): string | undefined {
  if (inUse === undefined || inUse === "" || state.revoked || !isAlternating(secret)) return undefined;
  return (
    `${secret.name}: the grace period of ${previousUsername(secret, state)} ended at ${graceEndsAt(state, policy).toISOString()}, ` +
    `but it is still in use: ${inUse}. The first update that finds it unused revokes it; from ` +
    `${graceLimitAt(state, policy).toISOString()} on (policy.gracePeriodMax) an update revokes it in any case. Move these ` +
    "users to the login in the store."
  );
}

const isAlternating = (secret: SecretConfig): secret is PostgresPasswordConfig =>
  secret.kind === "postgres-password" && secret.strategy === "alternating-users";
