import * as z from "zod";
import { withClient } from "../audit/connection";
import { migrateIfNeeded } from "../audit/migrate";
import { recordEvent } from "../audit/outbox";
import { clientConfig } from "../clients/postgres";
import { type CheckResult, failureOf } from "../components/preflight/preflight";
import { messageOf, StepError } from "../core/errors";
import { failedData, type NewEvent, startedData, type UpdateFacts } from "../core/events";
import { answerOf, preflightInput, runPreflight } from "../kinds/preflights";
import { runStep } from "./run-step";

const input = preflightInput.extend({
  /** What its events say and who gets them; undefined if nobody does. */
  event: z
    .object({
      stack: z.string(),
      environment: z.string(),
      action: z.enum(["ADOPT", "ROTATE", "ROLLBACK", "REVOKE"]),
      generation: z.number(),
      reason: z.string(),
      started: z.array(z.string()),
      failed: z.array(z.string()),
      /** The lab's clock; undefined everywhere else. */
      clock: z.string().optional(),
    })
    .optional(),
});

type Given = z.output<typeof input>;

/** Checks everything that a rotation will touch, all at once, and changes nothing but the outbox of events. */
await runStep(input, async (given, clean) => {
  const startedAt = new Date().toISOString();
  const results = await runPreflight(given);
  const failure = failureOf(given, results);
  if (failure !== undefined) {
    const unrecorded = await record(given, "failed", clean(failure)).then(() => "", messageOf);
    const note = unrecorded === "" ? "" : `\n  the event of this failure could not be recorded: ${unrecorded}`;
    throw new StepError(`${failure}${note}`);
  }
  const answer = await answerOf(given, results);
  await record(given, "started", given.event?.reason ?? "");
  return {
    startedAt,
    ...answer,
    ...warningsOf(results),
    checks: results.map(({ name, evidence }) => ({ name, evidence })),
  };
});

/** Writes an event into the outbox, if anybody gets it. */
async function record({ event, audit, secretName }: Given, type: "started" | "failed", reason: string): Promise<void> {
  const targets = event?.[type] ?? [];
  if (event === undefined || targets.length === 0) return;
  const { stack, environment, action, generation, clock } = event;
  const facts: UpdateFacts = { stack, environment, secret: secretName, action, generation, reason };
  const data = type === "started" ? startedData(facts) : failedData(facts, { phase: "preflight" });
  const written: NewEvent = { type, time: clock === undefined ? new Date() : new Date(clock), data, targets };
  await withClient(clientConfig(audit), async (client) => {
    await migrateIfNeeded(client);
    await recordEvent(client, written);
  });
}

/** Written into the audit row. */
function warningsOf(results: readonly CheckResult[]) {
  const warnings = results.flatMap((result) => result.warnings ?? []);
  return warnings.length === 0 ? {} : { warnings };
}
