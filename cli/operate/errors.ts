/** Wrong use, or a wrong project, stack or config. Exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The command failed. The message says what was found and what to run next. Exit code 1. */
export class OperationError extends Error {
  override readonly name = "OperationError";
}
