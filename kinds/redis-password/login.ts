import { poll } from "../../clients/poll";
import { passwordHash, shortHash } from "./acl";
import { userOf, withAdmin } from "./connection";
import type { RedisReference } from "./reference";
import { clientWords, connections } from "./use";

/** How long the connections of a service that was stopped may take to end, in milliseconds. */
const PATIENCE = 5000;
const EVERY = 250;

/**
 * Names the passwords of the user that are not this stack's: they stay. At each server it also notes a connection of its own:
 * those with a greater number are opened after it.
 */
export async function otherPasswords(
  redis: RedisReference,
  known: readonly string[],
): Promise<{ readonly connections: Record<string, number>; readonly warning: string | undefined }> {
  const ours = known.map(passwordHash);
  const found = await Promise.all(
    redis.nodes.map((node) =>
      withAdmin(redis, node, async (ask) => ({
        node,
        id: await ask<number>("CLIENT", "ID"),
        others: (await userOf(redis, node, ask)).passwords.filter((hash) => !ours.includes(hash)),
      })),
    ),
  );
  return {
    connections: Object.fromEntries(found.map(({ node, id }) => [node, id])),
    warning: othersWarning(redis.user, found),
  };
}

function othersWarning(
  user: string,
  found: readonly { readonly node: string; readonly others: readonly string[] }[],
): string | undefined {
  const lines = found.flatMap(({ node, others }) =>
    others.length === 0 ? [] : [`${others.map(shortHash).join(", ")} at ${node}`],
  );
  return lines.length === 0
    ? undefined
    : `${user} has passwords that this stack does not know, and which it leaves valid (SHA-256 begins with): ${lines.join("; ")}`;
}

/**
 * After the restarts: connections of the user from before the store was written. They keep their login whatever becomes of the
 * password, and would fail when they connect anew.
 *
 * @param before a connection of each server from before the store was written
 * @returns a warning, or undefined if there are none
 */
export async function leftConnections(
  redis: RedisReference,
  before: Readonly<Record<string, number>>,
): Promise<string | undefined> {
  const left = await poll(
    async () => (await connections(redis)).filter(({ id, node }) => id < (before[node] ?? 0)),
    ({ length }) => length === 0,
    { limit: PATIENCE, every: EVERY },
  );
  if (left.length === 0) return undefined;
  const many = left.length === 1 ? "1 connection" : `${left.length} connections`;
  return (
    `${many} of ${redis.user} from before the new password: ${clientWords(left)}. Every service was restarted, so a client that is ` +
    "not in the config holds the old password, or a service did not restart. Its connection stays, and its next login fails " +
    "once the grace period is over"
  );
}
