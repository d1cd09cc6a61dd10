import { auditDatabase, type PostgresPasswordConfig, referenceOf, type SecretConfig } from "../../config";
import { graceEndsAt, graceIsOver, graceLimitAt } from "../../core/deadlines";
import { heldBy, type UseSeen } from "../../core/disuse";
import { formatDuration } from "../../core/duration";
import { messageOf } from "../../core/errors";
import { useWords } from "../../core/login-use";
import type { Policy } from "../../core/policy";
import { other, previousGeneration, type SecretState } from "../../core/state";
import type { Kept, Observed } from "../kind-operations";
import { poolersOf } from "./paths/schema";
import { pooledUse } from "./paths/use";
import { activeUsername } from "./roles";

/**
 * Queries the server for users of a login whose grace period is over, before an update revokes it; nothing if there is
 * nothing to check. With `policy.quietPeriod`, what `rotation watch` saw of it too. Never throws: if a server does not answer,
 * the login may be in use, so it stays.
 */
export async function seeOldLogin(
  secret: PostgresPasswordConfig,
  policy: Policy,
  state: SecretState | undefined,
  { config, now }: Observed,
): Promise<UseSeen> {
  if (!isAlternating(secret) || state === undefined || !graceIsOver(state, policy, now)) return {};
  const previousInUse = await oldLoginUse(secret, state);
  if (policy.quietPeriod === undefined || previousInUse !== "") return { previousInUse };
  try {
    return { previousInUse, previousWatch: await watchOf(secret, state, config) };
  } catch (error) {
    return { previousInUse: `unknown (${messageOf(error)})` };
  }
}

async function watchOf(secret: PostgresPasswordConfig, state: SecretState, config: Observed["config"]) {
  const [{ withClient }, { watchesOf }, { clientConfig }] = await Promise.all([
    import("../../audit/connection"),
    import("../../audit/login-watch"),
    import("../../clients/postgres"),
  ]);
  const generation = previousGeneration(state);
  const database = auditDatabase(config) ?? secret.database;
  return withClient(clientConfig(referenceOf(database)), async (client) => {
    const key = { environment: config.environment, secret: secret.name };
    const found = await watchesOf(client, generation === undefined ? key : { ...key, generation });
    return found[0]?.watch;
  });
}

/** The login that the active one replaced. */
export const previousUsername = ({ strategy, role }: PostgresPasswordConfig, state: SecretState): string =>
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

/** The warning about a login that is kept because it is in use, or not proven unused; undefined if there is none. */
export function keptLogin(
  secret: SecretConfig,
  state: SecretState,
  seen: UseSeen,
  policy: Policy,
  now: Date,
): Kept | undefined {
  if (seen.previousInUse === undefined || state.revoked || !isAlternating(secret)) return undefined;
  const users = heldBy(seen, policy, now);
  if (users === "") return undefined;
  const revokes =
    policy.quietPeriod === undefined
      ? "The first update that finds it unused revokes it"
      : `An update revokes it once it was watched and unused for policy.quietPeriod (${formatDuration(policy.quietPeriod)})`;
  const words =
    `${secret.name}: the grace period of ${previousUsername(secret, state)} ended at ${graceEndsAt(state, policy).toISOString()}, ` +
    `but it is still in use: ${users}. ${revokes}; from ` +
    `${graceLimitAt(state, policy).toISOString()} on (policy.gracePeriodMax) an update revokes it in any case. Move these ` +
    "users to the login in the store.";
  return { users, words };
}

const isAlternating = (secret: SecretConfig): secret is PostgresPasswordConfig =>
  secret.kind === "postgres-password" && secret.strategy === "alternating-users";
