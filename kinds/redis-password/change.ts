import { passwordRules } from "./acl";
import { type Ask, userOf, withAdmin } from "./connection";
import type { RedisReference } from "./reference";

/** Passwords of the user, as their hashes. */
export interface Change {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** How a server keeps its ACL over a restart. */
export type Kept = "acl file" | "redis.conf" | "not at all";

/**
 * Adds and removes passwords of the user at each server, and has the server keep that. By their hashes alone, so that no
 * password is in the server's slow log or seen by `MONITOR`. Everything else of the user stays. Nothing is sent to a server
 * that is as it should be, except to keep it.
 *
 * @throws StepError that names the server; those before it are changed, and the same call goes on from there
 */
export async function changePasswords(
  redis: RedisReference,
  change: Change,
): Promise<{ changed: string[]; kept: Kept[] }> {
  const done = { changed: [] as string[], kept: [] as Kept[] };
  for (const node of redis.nodes) {
    await withAdmin(redis, node, async (ask) => {
      const rules = passwordRules((await userOf(redis, node, ask)).passwords, change);
      if (rules.length > 0) {
        await ask("ACL", "SETUSER", redis.user, ...rules);
        done.changed.push(node);
      }
      done.kept.push(await keep(redis, ask));
    });
  }
  return done;
}

/** How this server keeps its ACL, as the config allows. */
export async function keptBy({ rewriteConfig }: RedisReference, ask: Ask): Promise<Kept> {
  const [, file] = await ask<string[]>("CONFIG", "GET", "aclfile");
  if (file !== undefined && file !== "") return "acl file";
  return rewriteConfig ? "redis.conf" : "not at all";
}

async function keep(redis: RedisReference, ask: Ask): Promise<Kept> {
  const kept = await keptBy(redis, ask);
  if (kept === "acl file") await ask("ACL", "SAVE");
  if (kept === "redis.conf") await ask("CONFIG", "REWRITE");
  return kept;
}
