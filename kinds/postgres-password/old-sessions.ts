import type pg from "pg";
import { poll } from "../../clients/poll";
import { PROBE_APPLICATION } from "../../clients/postgres";
import { literal } from "../../core/login-view";

/** The part of a session that every role may see. */
export interface Session {
  readonly pid: number;
  readonly application: string;
}

/** The most sessions that are noted and named. */
const MOST = 500;
const NAMED = 5;

/** How long the sessions of a service that was stopped may take to end, in milliseconds. */
const PATIENCE = 5000;
const EVERY = 250;

/** The sessions that logged in as `role`, in any database of the server, except probes. */
export async function sessionsOf(client: pg.ClientBase, role: string): Promise<Session[]> {
  const { rows } = await client.query(
    `SELECT pid, coalesce(application_name, '') AS application FROM pg_stat_activity
     WHERE usename = $1 AND coalesce(application_name, '') <> $2 ORDER BY pid LIMIT ${MOST}`,
    [role, PROBE_APPLICATION],
  );
  return rows;
}

/**
 * The open sessions of a login that were not among `before`: those of a service that was restarted and holds the old
 * credential, or of a client that is not in the config.
 *
 * @returns a warning, or undefined if there are none
 */
export async function newSessions(
  client: pg.ClientBase,
  role: string,
  before: readonly number[],
): Promise<string | undefined> {
  const since = await poll(
    async () => (await sessionsOf(client, role)).filter(({ pid }) => !before.includes(pid)),
    ({ length }) => length === 0,
    { limit: PATIENCE, every: EVERY },
  );
  return since.length === 0 ? undefined : warningOf(role, since);
}

function warningOf(role: string, sessions: readonly Session[]): string {
  const named = sessions.slice(0, NAMED).map(({ pid, application }) => (application ? `${pid} (${application})` : pid));
  const rest = sessions.length > NAMED ? ` and ${sessions.length - NAMED} more` : "";
  const many = sessions.length === 1 ? "1 session has" : `${sessions.length} sessions have`;
  return (
    `${many} logged in as ${role} since the new login was proven: pid ${named.join(", ")}${rest}. Every service was ` +
    "restarted, so one of them holds the old credential although it says it is healthy, or a client uses it that is not in " +
    `the config. That login is revoked after the grace period. Find them: \`SELECT pid, application_name, client_addr, backend_start ` +
    `FROM pg_stat_activity WHERE usename = ${literal(role)}\`; then restart what holds it`
  );
}
