import { withDatabase } from "../../clients/postgres";
import { type DatabasePasswordConfig, referenceOf } from "../../config";
import { codeOf, StepError } from "../../core/errors";
import { identifier } from "../../core/login-view";
import type { EndedSessions } from "../kind-operations";

// By its age, so that the clocks of the two machines need not agree.
const OPEN = `usename = $1 AND pid <> pg_backend_pid()
  AND ($2::float8 IS NULL OR backend_start < clock_timestamp() - $2::float8 * interval '1 millisecond')`;

/**
 * Ends the sessions of a login with `pg_terminate_backend`, as the run's own login.
 *
 * @throws StepError if the run's login may not end them
 */
export function endSessions(
  { database }: DatabasePasswordConfig,
  username: string,
  before: Date | undefined,
): Promise<EndedSessions> {
  return withDatabase(referenceOf(database), async (client) => {
    const values = () => [username, before === undefined ? null : Date.now() - before.getTime()];
    try {
      // Waits up to 5 s for each to be gone.
      const ended = await client.query(
        `SELECT count(*) FILTER (WHERE pg_terminate_backend(pid, 5000)) AS ended FROM pg_stat_activity WHERE ${OPEN}`,
        values(),
      );
      const left = await client.query(`SELECT count(*) AS left FROM pg_stat_activity WHERE ${OPEN}`, values());
      return { ended: Number(ended.rows[0].ended), left: Number(left.rows[0].left) };
    } catch (error) {
      if (codeOf(error) !== "42501") throw error;
      const own = client.user ?? "";
      throw new StepError(
        `${own} may not end the sessions of ${username}: as an administrator, \`GRANT pg_signal_backend TO ${identifier(own)}\``,
        { cause: error },
      );
    }
  });
}
