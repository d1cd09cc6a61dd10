import { withDatabase } from "../../clients/postgres";
import type { Config, DatabasePasswordConfig } from "../../config";
import { referenceOf } from "../../config";
import { type LoginUse, useWords } from "../../core/login-use";
import { type SessionGroup, sessionGroups } from "../../kinds/postgres-password/login-use";
import { lastRow, utc } from "./facts";

/** Open sessions of a role, in any database of its server, but this program's own. */
export interface Sessions {
  readonly role: string;
  readonly count: number;
  /** When the oldest began; null where there is none, or the run's login may not see it (`pg_read_all_stats`). */
  readonly oldest: Date | null;
  /** Who holds them. */
  readonly users: readonly LoginUse[];
  /** Beside them: idle connections that nobody has used since the given time. A pooler keeps such ones open. */
  readonly unused: number;
}

/**
 * The sessions of a role.
 * @param since idle connections that were not used since then are told apart; without it every session counts as used
 */
export function sessionsOf(secret: DatabasePasswordConfig, role: string, since?: Date): Promise<Sessions> {
  return withDatabase(referenceOf(secret.database), async (client) => {
    const rows = await sessionGroups(client, role, since);
    const [used, unused] = [rows.filter((row) => !row.unused), rows.filter((row) => row.unused)];
    const times = used.flatMap(({ oldest }) => oldest ?? []).sort((a, b) => a.getTime() - b.getTime());
    return {
      role,
      count: sum(used),
      oldest: times[0] ?? null,
      users: used.map(({ application, client: from }) => ({ kind: "session", application, client: from, since: null })),
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

/** When the last rotation or rollback was done, by the server's clock; undefined where its row is not the last one. */
export async function rolledOutAt(config: Config, secret: string): Promise<Date | undefined> {
  const row = await lastRow(config, secret).catch(() => undefined);
  const rolledOut = row?.status === "SUCCESS" && ["ADOPT", "ROTATE", "ROLLBACK"].includes(row.action);
  return rolledOut ? (row.recordedAt ?? undefined) : undefined;
}
