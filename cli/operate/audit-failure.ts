import { operator } from "../../clients/home";
import { messageOf } from "../../core/errors";
import type { Plan } from "../../core/plan";
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
  readonly now: Date;
  readonly seconds: number;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Writes a FAILED row. If the log cannot be written, nothing else changes.
 * @returns why it could not be written, or undefined
 */
export async function recordFailure(outline: Outline, row: FailedRow): Promise<string | undefined> {
  const { recordEntry } = await import("../../audit/log");
  const { failure, generation, env } = row;
  try {
    await recordEntry(auditConnection(outline), {
      secretName: row.secret,
      rotatedBy: operator(env),
      rotationDate: row.now.toISOString(),
      status: "FAILED",
      stack: row.stack,
      environment: outline.environment,
      action: row.action ?? "ROTATE",
      generation: generation ?? null,
      reason: redact(failure.reason, environmentSecrets(env)),
      outputs: { phase: failure.phase ?? "before the first step", resource: failure.resource ?? null },
      durationSeconds: row.seconds,
    });
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
