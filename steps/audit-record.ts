import * as z from "zod";
import { recordEntry } from "../audit/log";
import { operator } from "../clients/home";
import { clientConfig, databaseReference } from "../clients/postgres";
import { messageOf, StepError } from "../core/errors";
import { runStep } from "./run-step";

const input = z.object({
  connection: databaseReference,
  startedAt: z.string(),
  clock: z.string().nullable(),
  entry: z.object({
    secretName: z.string(),
    stack: z.string(),
    environment: z.string(),
    action: z.enum(["ADOPT", "ROTATE", "ROLLBACK", "REVOKE"]),
    generation: z.number(),
    reason: z.string(),
    outputs: z.record(z.string(), z.json()),
    stepKey: z.string(),
  }),
});

/** Writes the row of a step that is done; writing the same step again changes nothing. */
await runStep(input, async ({ connection, startedAt, clock, entry }) => {
  const finished = new Date();
  // Never less than none: the clock may have been set back meanwhile.
  const seconds = startedAt === "" ? null : Math.max(0, finished.getTime() - Date.parse(startedAt)) / 1000;
  try {
    const { id, hash, existing } = await recordEntry(clientConfig(connection), {
      ...entry,
      rotatedBy: operator(process.env),
      rotationDate: clock ?? finished.toISOString(),
      status: "SUCCESS",
      durationSeconds: seconds,
    });
    return { row: id, hash, existing };
  } catch (error) {
    throw new StepError(
      `${entry.action} of ${entry.secretName} (generation ${entry.generation}) is done and in use; only its row in ` +
        `secret_rotation_log is missing: ${messageOf(error)}. Fix that and run \`pulumi up\` again: it writes the row and nothing else.`,
    );
  }
});
