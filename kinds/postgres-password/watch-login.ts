import { withClient } from "../../audit/connection";
import { updateWatch, type Watched, watchesOf } from "../../audit/login-watch";
import { clientConfig, withDatabase } from "../../clients/postgres";
import { auditDatabase, type PostgresPasswordConfig, referenceOf } from "../../config";
import { watched } from "../../core/disuse";
import type { LoginUse } from "../../core/login-use";
import { previousGeneration, type SecretState } from "../../core/state";
import type { LoginLook, Observed } from "../kind-operations";
import { notedLogins } from "./login-events";
import { loginsInLog } from "./login-log";
import { sessionGroups, usesOf } from "./login-use";
import { previousUsername } from "./old-logins";
import { databasePathsOf, pathName, poolersOf } from "./paths/schema";
import { pooledUse } from "./paths/use";

/**
 * Looks who uses the previous login, and adds the look to its watch in the audit database; undefined if there is no login to
 * watch. The log must have the newest migration.
 *
 * @throws Error if a place cannot be looked at: then nothing is added, and the time until the next look is not watched
 */
export async function watchLogin(
  secret: PostgresPasswordConfig,
  state: SecretState,
  { config, now }: Observed,
): Promise<LoginLook | undefined> {
  const generation = previousGeneration(state);
  if (secret.strategy !== "alternating-users" || state.revoked || generation === undefined) return undefined;
  const login = previousUsername(secret, state);
  const key: Watched = { environment: config.environment, secret: secret.name, generation };
  const database = auditDatabase(config) ?? secret.database;
  return withClient(clientConfig(referenceOf(database)), async (audit) => {
    const [before] = await watchesOf(audit, key);
    const paths = databasePathsOf(secret);
    const [{ uses, log }, away] = await Promise.all([
      lookAtServer(secret, login, { log: before?.log ?? null, seconds: secondsSince(before?.watch.to, now) }),
      Promise.all(paths.filter(({ pooler }) => !pooler).map((path) => sessionsAt(secret, path, login))),
    ]);
    // Who logs in to a pooler or a standby is not in this server's log.
    const elsewhere = paths.length > 0;
    // A log that was read before and is not any more has a hole.
    const read = log.read ?? (before?.log == null ? undefined : "broken");
    const look = { at: now, uses: [...uses, ...log.uses, ...away.flat()], log: read, elsewhere };
    return { login, watch: await updateWatch(audit, { ...key, login }, (watch) => watched(watch, look), log.place) };
  });
}

/** The last look: how far it has read the log, and how long ago it was. */
interface LastLook {
  readonly log: Parameters<typeof loginsInLog>[2];
  readonly seconds: number;
}

/** None at the first look, and none if the clock was set back. */
const secondsSince = (time: string | undefined, now: Date): number =>
  time === undefined ? 0 : Math.max(0, now.getTime() - Date.parse(time)) / 1000;

async function lookAtServer(secret: PostgresPasswordConfig, login: string, last: LastLook) {
  const pooled = await pooledUse(poolersOf(secret), login);
  return withDatabase(referenceOf(secret.database), async (client) => {
    const log = await loginsInLog(client, login, last.log);
    const noted = await notedLogins(client, login, last.seconds);
    return { uses: [...(await usesOf(client, login, pooled)), ...noted], log };
  });
}

/** The sessions of a login on a standby; none over a path that leads to the primary, which is asked itself. */
function sessionsAt(
  { database }: PostgresPasswordConfig,
  path: ReturnType<typeof databasePathsOf>[number],
  login: string,
): Promise<LoginUse[]> {
  const { host, port, database: name, sslmode } = path;
  return withDatabase({ ...referenceOf(database), host, port, database: name, sslmode }, async (client) => {
    const { rows } = await client.query<{ standby: boolean }>("SELECT pg_is_in_recovery() AS standby");
    if (rows[0]?.standby !== true) return [];
    const groups = await sessionGroups(client, login, {});
    return groups.map(({ application, client: from, oldest }) => ({
      kind: "session",
      application,
      client: `${from ?? "an address that only pg_read_all_stats may see"} on ${pathName(path)}`,
      since: oldest?.toISOString() ?? null,
    }));
  });
}
