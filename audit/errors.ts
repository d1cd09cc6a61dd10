/** The log could not be read or written. The message says what to do next and holds no credential. */
export class AuditLogError extends Error {
  override name = "AuditLogError";
}
