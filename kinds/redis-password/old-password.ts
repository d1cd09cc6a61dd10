import { graceEndsAt, graceIsOver, graceLimitAt } from "../../core/deadlines";
import { messageOf } from "../../core/errors";
import type { Policy } from "../../core/policy";
import type { SecretState } from "../../core/state";
import { redisOf } from "./reference";
import type { RedisPasswordConfig } from "./schema";

/** Who still holds a connection from before the rotation, in words; empty if nobody does, undefined if not checked. */
export interface RedisSeen {
  readonly previousInUse?: string | undefined;
}

/**
 * Before an update removes a password whose grace period is over: the connections that are older than the rotation. Never
 * throws: if a server does not answer, the password may be in use, so it stays.
 */
export async function seeOldPassword(
  secret: RedisPasswordConfig,
  policy: Policy,
  state: SecretState | undefined,
  now: Date,
): Promise<string | undefined> {
  if (state === undefined || !graceIsOver(state, policy, now)) return undefined;
  try {
    // Loaded when used: most updates remove no password.
    const { clientWords, connections, fromBefore } = await import("./use");
    return clientWords(fromBefore(await connections(redisOf(secret)), state, now));
  } catch (error) {
    return `unknown (${messageOf(error)})`;
  }
}

/** The warning about a password that is kept because it may be in use; undefined if there is none. */
export function keptPassword(
  { name, user }: Pick<RedisPasswordConfig, "name" | "user">,
  state: SecretState,
  inUse: string | undefined,
  policy: Policy,
): string | undefined {
  if (inUse === undefined || inUse === "" || state.revoked) return undefined;
  return (
    `${name}: the grace period of the previous password of ${user} ended at ${graceEndsAt(state, policy).toISOString()}, but ` +
    `connections from before the rotation are open: ${inUse}. The first update that finds none removes that password; from ` +
    `${graceLimitAt(state, policy).toISOString()} on (policy.gracePeriodMax) an update removes it in any case. Restart these clients.`
  );
}
