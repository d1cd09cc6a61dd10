import type pg from "pg";
import { OWN_APPLICATIONS } from "../../clients/postgres";
import type { LoginUse } from "../../core/login-use";
import type { PooledUse } from "./paths/use";

/** The most entries of one sort that are read. */
const MOST = 200;

/**
 * Who logs in as `role`: sessions in any database of the server, except this program's own; foreign-data mappings and
 * scheduled jobs of the connection's database, as far as the run's login may read them.
 *
 * @param pooled what the poolers hold of it: their clients count, and not their own connections.
 */
export async function usesOf(client: pg.ClientBase, role: string, pooled: PooledUse = NONE): Promise<LoginUse[]> {
  return [
    ...(await sessions(client, role, pooled.servers)),
    ...pooled.users,
    ...(await mappings(client, role)),
    ...(await jobs(client, role)),
  ];
}

const NONE: PooledUse = { servers: [], users: [] };

async function sessions(client: pg.ClientBase, role: string, except: readonly number[]): Promise<LoginUse[]> {
  const groups = await sessionGroups(client, role, { except });
  return groups.slice(0, MOST).map(({ application, client: from, oldest }) => ({
    kind: "session",
    application,
    client: from,
    since: oldest?.toISOString() ?? null,
  }));
}

/** Sessions of one application from one place. */
export interface SessionGroup {
  readonly application: string;
  /** Null if the run's login may not see it (`pg_read_all_stats`). */
  readonly client: string | null;
  /** When the oldest began; null like `client`. */
  readonly oldest: Date | null;
  readonly count: number;
  /** Whether they are idle, and unused since the given time. */
  readonly unused: boolean;
}

/** A role's sessions in any database of the server, except this program's own. */
export async function sessionGroups(
  client: pg.ClientBase,
  role: string,
  {
    since,
    except = [],
  }: {
    /** Without it all count as used. */
    readonly since?: Date | undefined;
    /** Process ids that do not count. */
    readonly except?: readonly number[];
  },
): Promise<SessionGroup[]> {
  // A row that may not be seen has neither address nor state: `backend_type` is null too.
  const { rows } = await client.query<SessionGroup>(
    `SELECT coalesce(application_name, '') AS application, count(*)::int AS count, min(backend_start) AS oldest,
            CASE WHEN backend_type IS NULL THEN NULL ELSE coalesce(host(client_addr), 'a local socket') END AS client,
            coalesce(state = 'idle' AND state_change < $3, false) AS unused
     FROM pg_stat_activity WHERE usename = $1 AND coalesce(application_name, '') <> ALL ($2) AND pid <> ALL ($4)
     GROUP BY 1, 4, 5 ORDER BY 1, 4`,
    [role, OWN_APPLICATIONS, since?.toISOString() ?? null, [...except]],
  );
  return rows;
}

/** The options of a mapping are visible only to its user and to the server's owner. */
async function mappings(client: pg.ClientBase, role: string): Promise<LoginUse[]> {
  const { rows } = await client.query<{ server: string; mappedFor: string }>(
    `SELECT srvname AS server, usename AS "mappedFor" FROM pg_user_mappings
     WHERE 'user=' || $1 = ANY (umoptions) ORDER BY 1, 2 LIMIT ${MOST}`,
    [role],
  );
  return rows.map((row) => ({ kind: "mapping", ...row }));
}

/** Schedulers whose jobs log in as a role, if their extension is in the connection's database. */
const SCHEDULERS = [
  {
    scheduler: "pg_cron",
    table: "cron.job",
    name: "coalesce(jobname, jobid::text)",
    where: "active AND username = $1",
  },
  {
    scheduler: "pgAgent",
    table: "pgagent.pga_jobstep",
    name: "jstname",
    // A connection string of libpq's: `host=db user=trader dbname=trader`.
    where:
      "jstenabled AND jstconnstr ~ ('(^|\\s)user\\s*=\\s*''?' || regexp_replace($1, '([^[:alnum:]_])', '\\\\\\1', 'g') || '''?(\\s|$)')",
  },
];

async function jobs(client: pg.ClientBase, role: string): Promise<LoginUse[]> {
  const found: LoginUse[] = [];
  for (const { scheduler, table, name, where } of SCHEDULERS) {
    const readable = await client.query(
      `SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname || '.' || relname = $1
         AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')`,
      [table],
    );
    if (readable.rowCount === 0) continue;
    const { rows } = await client.query<{ name: string }>(
      `SELECT ${name} AS name FROM ${table} WHERE ${where} ORDER BY 1 LIMIT ${MOST}`,
      [role],
    );
    found.push(...rows.map((row): LoginUse => ({ kind: "job", scheduler, name: row.name })));
  }
  return found;
}
