import type pg from "pg";
import type { Seen, Watch } from "../core/disuse";
import { codeOf } from "../core/errors";

/** Whose previous credential is watched. */
export interface Watched {
  readonly environment: string;
  readonly secret: string;
  readonly generation: number;
}

/** Up to where the server's log was read. */
export interface LogPlace {
  readonly file: string;
  readonly size: number;
}

/** What is kept of a watch. */
export interface KeptWatch extends Watched {
  readonly login: string;
  readonly watch: Watch;
  readonly log: LogPlace | null;
}

interface Row extends Watched {
  readonly login: string;
  readonly from: Date;
  readonly to: Date;
  readonly unbroken: Date;
  readonly samples: number;
  readonly gaps: number;
  readonly lastUse: Date | null;
  readonly users: readonly Seen[];
  readonly log: LogPlace | null;
}

const SELECT = `
  SELECT environment, secret_name AS secret, generation, login, watched_from AS "from", watched_to AS "to",
         unbroken_since AS unbroken, samples::float8 AS samples, gaps::float8 AS gaps, last_use AS "lastUse", users,
         log_read_to AS log
  FROM secret_rotation_login_watch WHERE environment = $1 AND secret_name = coalesce($2, secret_name)
    AND generation = coalesce($3, generation)`;

/** The watches of an environment, or of one secret, or of one generation; none if the log is older than this program. */
export async function watchesOf(
  client: pg.ClientBase,
  { environment, secret, generation }: Pick<Watched, "environment"> & Partial<Watched>,
): Promise<KeptWatch[]> {
  try {
    const values = [environment, secret ?? null, generation ?? null];
    return (await client.query<Row>(SELECT, values)).rows.map(keptOf);
  } catch (error) {
    if (codeOf(error) === NO_TABLE) return [];
    throw error;
  }
}

const NO_TABLE = "42P01";

/**
 * Adds a look to a watch, one writer at a time. Needs the privileges of `rotation_audit_writer` alone.
 *
 * @param add the watch with the look, from the watch as it is now
 */
export async function updateWatch(
  client: pg.ClientBase,
  { environment, secret, generation, login }: Watched & { readonly login: string },
  add: (before: Watch | undefined) => Watch,
  log: LogPlace | null,
): Promise<Watch> {
  await client.query("BEGIN");
  try {
    // Two first looks at once: the second waits for the first.
    await client.query("SELECT pg_advisory_xact_lock(hashtext($1), $2)", [`${environment}/${secret}`, generation]);
    const [before] = await watchesOf(client, { environment, secret, generation });
    const watch = add(before?.watch);
    const { from, to, unbrokenSince, samples, gaps, lastUse, users } = watch;
    await client.query(
      `INSERT INTO secret_rotation_login_watch (environment, secret_name, generation, login, watched_from, watched_to,
         unbroken_since, samples, gaps, last_use, users, log_read_to)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
       ON CONFLICT (environment, secret_name, generation) DO UPDATE SET watched_to = excluded.watched_to,
         unbroken_since = excluded.unbroken_since, samples = excluded.samples, gaps = excluded.gaps,
         last_use = excluded.last_use, users = excluded.users, log_read_to = excluded.log_read_to`,
      [
        environment,
        secret,
        generation,
        login,
        from,
        to,
        unbrokenSince,
        samples,
        gaps,
        lastUse,
        asJson(users),
        asJson(log),
      ],
    );
    await client.query("COMMIT");
    return watch;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

const asJson = (value: object | null) => (value === null ? null : JSON.stringify(value));

function keptOf({ environment, secret, generation, login, log, ...row }: Row): KeptWatch {
  const { from, to, unbroken, samples, gaps, lastUse, users } = row;
  const watch: Watch = {
    from: from.toISOString(),
    to: to.toISOString(),
    unbrokenSince: unbroken.toISOString(),
    lastUse: lastUse?.toISOString() ?? null,
    ...{ samples, gaps, users },
  };
  return { environment, secret, generation, login, log, watch };
}
