import type { AuditEntryInput } from "../../audit/entry";
import { type Recorded, recordEntry } from "../../audit/log";
import { operator } from "../../clients/home";
import { parseTime } from "../../core/time";
import { auditConnection } from "./audit-log";
import { UsageError } from "./errors";
import { secretsNamed } from "./preflight";
import type { Project } from "./project";
import { clockOf, readOutline } from "./settings";

/** A rotation that was done by hand. */
export interface ManualRotation {
  readonly secretName: string;
  /** Default: the user who runs this. */
  readonly rotatedBy?: string;
  /** ISO 8601 with an offset. Default: now. */
  readonly rotationDate?: string;
  readonly status?: "SUCCESS" | "FAILED" | "ROLLED_BACK";
  readonly reason?: string;
}

/** Writes the row of a rotation that was done by hand. @throws UsageError, AuditLogError */
export async function logByHand(
  project: Project,
  given: ManualRotation,
): Promise<Recorded & { readonly entry: AuditEntryInput }> {
  const outline = await readOutline(project);
  secretsNamed(outline, [given.secretName]);
  const now = clockOf(outline);
  const date = given.rotationDate === undefined ? now : parseTime(given.rotationDate);
  if (date === undefined || (given.rotationDate !== undefined && !/[Zz]|[+-]\d\d:?\d\d$/.test(given.rotationDate))) {
    throw new UsageError(
      `--rotation-date: expected a date with its offset, such as 2026-11-23T14:30:00Z, found ${given.rotationDate}`,
    );
  }
  if (date > now) throw new UsageError(`--rotation-date: expected a date in the past, found ${given.rotationDate}`);
  const entry: AuditEntryInput = {
    secretName: given.secretName,
    rotatedBy: given.rotatedBy ?? operator(project.env),
    rotationDate: date.toISOString(),
    status: given.status ?? "SUCCESS",
    stack: project.stack,
    environment: outline.environment,
    action: "MANUAL",
    reason: given.reason ?? null,
  };
  return { ...(await recordEntry(auditConnection(outline), entry)), entry };
}
