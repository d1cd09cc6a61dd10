/** A step's input is wrong, or what it checked is not as it must be. The message is for people. */
export class StepError extends Error {
  override readonly name = "StepError";
}

/** It may pass by itself; whether the request was carried out is unknown. */
export class PassingError extends StepError {}

/** What an error says; an empty message (a refused connection on two addresses) becomes its parts, else its name. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.message === "")
    return [...new Set(error.errors.map(messageOf))].join("; ");
  return error.message === "" ? error.name : error.message;
}

/** Why a request failed: what the error's cause says, since `fetch` itself says only `fetch failed`; else what it says. */
export const reasonOf = (error: unknown): string =>
  messageOf(error instanceof Error && error.cause instanceof Error ? error.cause : error);

/** PostgreSQL's code of an error, such as `42501`, or Node's, such as `ECONNREFUSED`. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}
