import * as z from "zod";
import { type DatabaseReference, withDatabase } from "../../clients/postgres";
import { formatDuration } from "../../core/duration";
import { StepError } from "../../core/errors";
import { quoted } from "../../core/shell-word";

/** The notice that the team must have got, and how long ago. */
export const noticeInput = z.object({
  /** Milliseconds. */
  before: z.number(),
  /** The generation that is about to be replaced: what a reminder names. */
  generation: z.number(),
  /** The lab's clock; null everywhere else. */
  clock: z.string().nullable(),
});

export type NoticeInput = z.output<typeof noticeInput>;

/** The team was notified of this rotation long enough ago, according to the records of `rotation remind`. */
export function checkNotice(
  audit: DatabaseReference,
  secret: string,
  environment: string,
  { before, generation, clock }: NoticeInput,
): Promise<string> {
  return withDatabase(audit, async (client) => {
    const table = await client.query("SELECT to_regclass('secret_rotation_reminders') AS found");
    const { rows } = table.rows[0].found
      ? await client.query<{ kind: string; at: Date }>(
          `SELECT kind, min(sent_at) AS at FROM secret_rotation_reminders
           WHERE secret_name = $1 AND environment = $2 AND generation = $3
             AND kind IN ('warning', 'alert', 'planned', 'overdue')
           GROUP BY kind ORDER BY at LIMIT 1`,
          [secret, environment, generation],
        )
      : { rows: [] };
    const [first] = rows;
    const way = `Or rotate without: preflight.notice: 0s, or \`rotation rotate-now ${quoted(secret)} --reason WHY\` in an emergency`;
    if (first === undefined) {
      throw new StepError(
        `the team was not notified of this rotation; \`rotation remind\` (hourly) does that, then wait ${formatDuration(before)}. ${way}`,
      );
    }
    const now = clock === null ? new Date() : new Date(clock);
    const free = new Date(first.at.getTime() + before);
    if (now < free) {
      throw new StepError(
        `the team was notified at ${first.at.toISOString()}, less than ${formatDuration(before)} ago; wait until ${free.toISOString()}. ${way}`,
      );
    }
    return `the team was notified (${first.kind}) at ${first.at.toISOString()}`;
  });
}
