/** The command was used wrongly, or the project, the stack or its config is not as it must be. Exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What was asked for could not be done. The message says what was found and the next command. Exit code 1. */
export class OperationError extends Error {
  override readonly name = "OperationError";
}
