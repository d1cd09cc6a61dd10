/** The log could not be read or written. The message says what to do next and holds no credential. */
export class AuditLogError extends Error {
  override name = "AuditLogError";
}

/** PostgreSQL's code of an error, such as `42501`, or Node's, such as `ECONNREFUSED`. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}
