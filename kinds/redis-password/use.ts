import type { Config } from "../../config";
import { type LoginUse, useWords } from "../../core/login-use";
import type { SecretState } from "../../core/state";
import type { RedisConnection } from "./acl";
import { connectionsAt, withAdmin } from "./connection";
import type { RedisReference } from "./reference";

/** A connection and the server it is at. */
export type Connection = RedisConnection & { readonly node: string };

/** All connections of the user, at every server. @throws StepError */
export async function connections(redis: RedisReference): Promise<Connection[]> {
  const all = await Promise.all(
    redis.nodes.map((node) => withAdmin(redis, node, (ask) => connectionsAt(redis, node, ask))),
  );
  return all.flat();
}

/**
 * Those from before the last rotation or rollback. Redis does not say with which password a connection logged in: one that is
 * older has an old one, a younger one may have either.
 */
export function fromBefore(all: readonly Connection[], { step, rotatedAt }: SecretState, now: Date): Connection[] {
  const since = now.getTime() - Date.parse(step.action === "REVOKE" ? rotatedAt : step.at);
  return all.filter(({ age }) => age * 1000 > since);
}

/** {@link fromBefore}, but none in a lab that sets the clock: it does not apply to the age of a connection. */
export const fromBeforeNow = (
  all: readonly Connection[],
  state: SecretState,
  { config, now }: { readonly config: Pick<Config, "lab">; readonly now: Date },
): Connection[] => (config.lab?.clock === undefined ? fromBefore(all, state, now) : []);

/** For people: `app from 10.0.0.7`. The same clients always give the same text. */
export const clientWords = (all: readonly Connection[]): string =>
  useWords(
    all.map(
      ({ name, from }): LoginUse => ({
        kind: "session",
        application: name || "a client without a name",
        client: from,
        since: null,
      }),
    ),
  );
