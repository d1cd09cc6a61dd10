import canonicalize from "canonicalize";
import * as z from "zod";
import { redact } from "../core/redact";

/** How a rotation ended. */
export const AuditStatus = z.enum(["SUCCESS", "FAILED", "ROLLED_BACK"]);
export type AuditStatus = z.infer<typeof AuditStatus>;

/**
 * What was done. PRUNE rows are written by the database's own function alone; a LEAK row says what became of a generation that
 * leaked.
 */
export const AuditAction = z.enum(["ROTATE", "ROLLBACK", "REVOKE", "ADOPT", "MANUAL", "LEAK", "PRUNE"]);
export type AuditAction = z.infer<typeof AuditAction>;

// PostgreSQL stores no NUL, and half a surrogate pair has no UTF-8.
const text = z
  .string()
  .min(1)
  .refine((value) => !value.includes("\0") && !/\p{Surrogate}/u.test(value), "holds a NUL or an unpaired surrogate");

/** One row from a caller; the database adds position and hashes. */
export const AuditEntry = z.strictObject({
  /** As the services know it, such as `database/password`. */
  secretName: text,
  /** Who did it: a person or a pipeline. */
  rotatedBy: text,
  /** When it was done, ISO 8601 with an offset. */
  rotationDate: z.iso.datetime({ offset: true }),
  status: AuditStatus,
  stack: text.nullable().default(null),
  environment: text.nullable().default(null),
  action: AuditAction.default("MANUAL"),
  /** The generation that is active after the action. */
  generation: z.int32().min(0).nullable().default(null),
  reason: text.nullable().default(null),
  /** The stack's outputs: versions, dates and paths, never a value. */
  outputs: z.record(z.string(), z.json()).nullable().default(null),
  durationSeconds: z.number().min(0).nullable().default(null),
  /** The same step appends once, however often it runs: unique in the log. */
  stepKey: text.nullable().default(null),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

/** An {@link AuditEntry} before its defaults are filled in. */
export type AuditEntryInput = z.input<typeof AuditEntry>;

/** An entry that must not be written. */
export class AuditEntryError extends Error {
  override name = "AuditEntryError";
}

/** Checks and completes an entry. @throws AuditEntryError naming every field that is wrong, never a value. */
export function parseEntry(entry: unknown): AuditEntry {
  const parsed = AuditEntry.safeParse(entry);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "entry"}: ${issue.message}`);
  throw new AuditEntryError(`The audit entry is not valid: ${problems.join("; ")}`);
}

/** RFC 8785 JSON: the same value always gives the same text. */
export function canonicalJson(value: unknown): string {
  return canonicalize(value) ?? "null";
}

/**
 * Refuses an entry in which one of `secrets` occurs, plain or as JSON, base64 or a URL would write it.
 * Texts shorter than six characters are ignored: they would match by chance, and a finished rotation would have no row.
 * @throws AuditEntryError naming the field, never the value.
 */
export function assertNoSecret(entry: AuditEntryInput, secrets: readonly string[]): void {
  const long = secrets.filter(({ length }) => length >= 6);
  for (const [field, value] of Object.entries(entry)) {
    // Each text separately as well: within another JSON, one that is JSON itself would be escaped twice.
    if ([canonicalJson(value), ...textsIn(value)].every((text) => redact(text, long) === text)) continue;
    throw new AuditEntryError(
      `The audit entry's field ${field} holds a secret's value; expected versions, dates and paths only. Remove that value from the stack's outputs and run again.`,
    );
  }
}

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...textsIn(inner)]);
}
