import { withDatabase } from "../../clients/postgres";
import { type DatabasePasswordConfig, referenceOf } from "../../config";
import { utc } from "../../core/clock";
import { type LoginUse, useWords } from "../../core/login-use";
import type { SecretState } from "../../core/state";
import type { StackView } from "../kind-operations";
import { type SessionGroup, sessionGroups } from "./login-use";
import { poolersOf } from "./paths/schema";
import { pooledUse } from "./paths/use";

/** Open sessions of a role, in any database of its server, except this program's own. */
export interface Sessions {
  readonly role: string;
  readonly count: number;
  /** When the oldest began; null if there is none, or the run's login may not see it (`pg_read_all_stats`). */
  readonly oldest: Date | null;
  /** Who holds them. */
  readonly users: readonly LoginUse[];
  /** Additional idle connections that were not used since the given time. A pooler keeps such ones open. */
  readonly unused: number;
}

/**
 * The sessions of a role, and the clients of poolers that are logged in as it.
 * @param since idle connections that were not used since then are counted separately; without it every session is used
 */
export async function sessionsOf(secret: DatabasePasswordConfig, role: string, since?: Date): Promise<Sessions> {
  const pooled = await pooledUse("paths" in secret ? poolersOf(secret) : [], role);
  return withDatabase(referenceOf(secret.database), async (client) => {
    const rows = await sessionGroups(client, role, { since, except: pooled.servers });
    const [used, unused] = [rows.filter((row) => !row.unused), rows.filter((row) => row.unused)];
    const times = used.flatMap(({ oldest }) => oldest ?? []).sort((a, b) => a.getTime() - b.getTime());
    return {
      role,
      count: sum(used) + pooled.users.length,
      oldest: times[0] ?? null,
      users: [
        ...used.map(({ application, client: from }) => ({
          kind: "session" as const,
          application,
          client: from,
          since: null,
        })),
        ...pooled.users,
      ],
      unused: sum(unused),
    };
  });
}

const sum = (rows: readonly SessionGroup[]) => rows.reduce((total, { count }) => total + count, 0);

/** `2 sessions of trader_a, the oldest since 2026-11-23 02:00 UTC: signal-service from 10.0.0.7` */
export function sessionWords({ role, count, oldest, users }: Sessions): string {
  const since = oldest === null ? "" : `, the oldest since ${utc(oldest)}`;
  return `${count} session${count === 1 ? "" : "s"} of ${role}${since}: ${useWords(users)}`;
}

/**
 * `pg_stat_activity`: sessions of the login in use, none of the previous one except a pooler's unused connections.
 *
 * @param before the previous login; undefined if none is known
 * @throws Error that says what is wrong
 */
export async function sessionsInUse(
  { config, rolledOutAt }: Pick<StackView, "config" | "rolledOutAt">,
  secret: DatabasePasswordConfig,
  state: SecretState,
  username: string,
  before?: string,
): Promise<string> {
  const current = await sessionsOf(secret, username);
  const old =
    before === undefined || before === username
      ? undefined
      : await sessionsOf(secret, before, await rolledOutAt(secret.name));
  if (old !== undefined && old.count > 0) {
    throw new Error(`${sessionWords(old)}, the previous login; \`rotation diagnose --fix\` restarts the services`);
  }
  if (current.count === 0)
    throw new Error(`no session uses ${username}; expected those of ${secret.restart.join(", ")}`);
  // The lab's clock does not apply to the start of a session.
  const { oldest } = current;
  if (before === username && config.lab?.clock === undefined && oldest !== null && oldest < new Date(state.step.at)) {
    throw new Error(`a session of ${username} is open since ${utc(oldest)}, from before the rotation`);
  }
  const unused = old === undefined || old.unused === 0 ? "" : `; ${unusedWords(old)}`;
  return `${sessionWords(current)}${unused}`;
}

const unusedWords = ({ unused, role }: Sessions) =>
  `${unused} idle connection${unused === 1 ? "" : "s"} of ${role}, not used since the rotation (a pooler keeps such ones open for a while)`;
