import { poll } from "../../clients/poll";
import { StepError } from "../../core/errors";
import { type RehearsalRow, rowWords } from "../../core/rehearsal";
import { passwordHash, shortHash } from "./acl";
import { userOf, withAdmin } from "./connection";
import type { RedisReference } from "./reference";
import type { RedisRehearsal } from "./rehearsal-input";
import { clientWords, connections } from "./use";

/** In one message. */
const NAMED = 12;

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

/**
 * Logs in with the new password from where each service is.
 *
 * @param inUse the password in use, if it is another one
 * @throws StepError that names each reader and server that differs, unless waiting is worse: then each is a warning
 */
export async function rehearsed(
  redis: RedisReference,
  given: RedisRehearsal,
  next: string,
  inUse: string | undefined,
): Promise<{ readonly rows: readonly RehearsalRow[]; readonly warnings: readonly string[] }> {
  const { rehearse } = await import("./rehearse");
  const rows = await rehearse(redis, given, { next, inUse });
  const differ = rows.filter(({ verdict }) => verdict === "differs").map(rowWords);
  const unseen = rows.filter(({ verdict }) => verdict === "unseen").map(rowWords);
  if (differ.length > 0 && given.strict) {
    const rest = differ.length > NAMED ? [`and ${differ.length - NAMED} more`] : [];
    throw new StepError(
      `the rehearsal of ${redis.user} found what services would find, before anything changed for one: ` +
        `${[...differ.slice(0, NAMED), ...rest].join("; ")}. Store and services are as they were: fix it and run this again`,
    );
  }
  return {
    rows,
    warnings: [...differ.map((text) => `rehearsal: ${text}`), ...unseen.map((text) => `not rehearsed: ${text}`)],
  };
}
