import type { AuditEntryInput } from "../../audit/entry";
import type { Recorded } from "../../audit/log";
import { operator } from "../../clients/home";
import { eventTargets } from "../../config";
import { messageOf } from "../../core/errors";
import { failedData, type NewEvent, receiversOf } from "../../core/events";
import type { Plan } from "../../core/plan";
import type { ProbeFigures } from "../../core/probes";
import { redact } from "../../core/redact";
import { auditConnection } from "./audit-log";
import type { Failure } from "./failure";
import { environmentSecrets } from "./secrets";
import type { Outline } from "./settings";

export interface FailedRow {
  readonly secret: string;
  readonly stack: string;
  readonly action: Plan["action"];
  readonly failure: Failure;
  /** The generation that is active, as the stack's outputs say. */
  readonly generation: number | undefined;
  /** Whether the step that failed recorded the event itself, as the preflight does. */
  readonly announced: boolean;
  readonly now: Date;
  readonly seconds: number;
  readonly env: NodeJS.ProcessEnv;
  /** What probes saw, if there were some. */
  readonly probes: ProbeFigures | undefined;
}

/**
 * Writes a FAILED row. If the log cannot be written, nothing else changes.
 * @returns why it could not be written, or undefined
 */
export async function recordFailure(outline: Outline, row: FailedRow): Promise<string | undefined> {
  const { recordEntry } = await import("../../audit/log");
  const { failure, generation, env } = row;
  const reason = redact(failure.reason, environmentSecrets(env));
  const targets = row.announced ? [] : receiversOf("failed", eventTargets(outline.events));
  const { secret, stack, now, seconds } = row;
  const facts = { stack, environment: outline.environment, secret, reason, action: row.action ?? null };
  const event = ({ id }: Recorded): NewEvent => ({
    ...{ type: "failed", time: now, targets },
    data: failedData(
      { ...facts, generation: generation ?? null },
      { phase: failure.phase ?? null, auditRow: id, durationSeconds: seconds },
    ),
  });
  const entry: AuditEntryInput = {
    secretName: row.secret,
    rotatedBy: operator(env),
    rotationDate: row.now.toISOString(),
    status: "FAILED",
    stack: row.stack,
    environment: outline.environment,
    action: row.action ?? "ROTATE",
    generation: generation ?? null,
    reason,
    outputs: {
      phase: failure.phase ?? "before the first step",
      resource: failure.resource ?? null,
      ...(row.probes === undefined ? {} : { probes: row.probes }),
    },
    durationSeconds: row.seconds,
  };
  try {
    await recordEntry(auditConnection(outline), entry, targets.length === 0 ? undefined : event);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
