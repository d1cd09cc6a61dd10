import * as z from "zod";
import { withClient } from "../audit/connection";
import type { AuditEntryInput } from "../audit/entry";
import { keepFingerprints } from "../audit/fingerprints";
import { type Recorded, recordEntry } from "../audit/log";
import { watchesOf } from "../audit/login-watch";
import { operator } from "../clients/home";
import { clientConfig, type DatabaseReference, databaseReference } from "../clients/postgres";
import { askProbes } from "../clients/probe-answer";
import { evidenceOf } from "../core/disuse";
import { messageOf, StepError } from "../core/errors";
import { endOf, finishedData, type NewEvent } from "../core/events";
import { probeWords } from "../core/probes";
import { without } from "../core/without";
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
  /** Who gets the event `finished` or `rolled-back`. */
  targets: z.array(z.string()).default([]),
  /** What a leaked value is compared with later. */
  fingerprints: z
    .array(
      z.object({
        generation: z.number(),
        part: z.string(),
        username: z.string().nullable(),
        fingerprint: z.string(),
        length: z.number(),
      }),
    )
    .default([]),
});

/** Writes the row of a step that is done; writing the same step again changes nothing. */
await runStep(input, async ({ connection, startedAt, clock, entry, targets, fingerprints }) => {
  const probes = await askProbes(entry.stack, entry.secretName);
  const finished = new Date();
  // Never less than none: the clock may have been set back meanwhile.
  const seconds = startedAt === "" ? null : Math.max(0, finished.getTime() - Date.parse(startedAt)) / 1000;
  try {
    const row: AuditEntryInput = {
      ...entry,
      outputs: {
        ...entry.outputs,
        ...(await disuseOf(connection, entry)),
        ...(probes === undefined ? {} : { probes }),
      },
      rotatedBy: operator(process.env),
      rotationDate: clock ?? finished.toISOString(),
      status: "SUCCESS",
      durationSeconds: seconds,
    };
    const event = ({ id }: Recorded): NewEvent => {
      const facts = { ...without(entry, "secretName", "outputs", "stepKey"), secret: entry.secretName };
      const data = finishedData(facts, { auditRow: id, durationSeconds: seconds });
      return { type: endOf(entry.action), time: new Date(row.rotationDate), data, targets };
    };
    const recorded = await recordEntry(clientConfig(connection), row, targets.length === 0 ? undefined : event);
    if (fingerprints.length > 0)
      await withClient(clientConfig(connection), (client) =>
        keepFingerprints(client, entry, entry.secretName, fingerprints),
      );
    const { id, hash, existing } = recorded;
    return { row: id, hash, existing, ...(probes === undefined ? {} : { probes: probeWords(probes) }) };
  } catch (error) {
    throw new StepError(
      `${entry.action} of ${entry.secretName} (generation ${entry.generation}) is done and in use; only its row in ` +
        `secret_rotation_log is missing: ${messageOf(error)}. Fix that and run \`pulumi up\` again: it writes the row and nothing else.`,
    );
  }
});

/** What a revocation rests on: what was seen of the login since the rotation; nothing if nobody looked. */
async function disuseOf(
  connection: DatabaseReference,
  { action, environment, secretName: secret, generation }: z.output<typeof input>["entry"],
): Promise<Record<string, ReturnType<typeof evidenceOf>>> {
  if (action !== "REVOKE") return {};
  const found = await withClient(clientConfig(connection), (client) =>
    watchesOf(client, { environment, secret, generation }),
  );
  return found[0] === undefined ? {} : { disuse: evidenceOf(found[0].watch) };
}
