import type { EndedSessions } from "../kind-operations";
import { connectionsAt, withAdmin } from "./connection";
import { redisOf } from "./reference";
import type { RedisPasswordConfig } from "./schema";
import { connections } from "./use";

/**
 * Ends the connections of the user with `CLIENT KILL`: removing a password ends none. Only for a leaked password.
 *
 * @param before only those that began before that time, by this machine's clock. Undefined: all
 */
export async function endConnections(
  secret: RedisPasswordConfig,
  _username: string,
  before: Date | undefined,
): Promise<EndedSessions> {
  const redis = redisOf(secret);
  const isOver = ({ age }: { readonly age: number }) =>
    before === undefined || age * 1000 > Date.now() - before.getTime();
  const ended = await Promise.all(
    redis.nodes.map((node) =>
      withAdmin(redis, node, async (ask) => {
        const all = (await connectionsAt(redis, node, ask)).filter(isOver);
        const killed = [];
        // By its number, so that one that was opened meanwhile stays. 0: it is gone already.
        for (const { id } of all) killed.push(await ask<number>("CLIENT", "KILL", "ID", String(id)));
        return killed.reduce((sum, count) => sum + count, 0);
      }),
    ),
  );
  return {
    ended: ended.reduce((sum, count) => sum + count, 0),
    left: (await connections(redis)).filter(isOver).length,
  };
}
