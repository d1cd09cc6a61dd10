/** A query that a decision depends on failed. Nothing was changed. The message is for people. */
export class UnavailableError extends Error {
  override readonly name = "UnavailableError";
}
