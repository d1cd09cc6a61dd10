/** What a decision needs to know could not be asked. Nothing was changed. The message is meant for people. */
export class UnavailableError extends Error {
  override readonly name = "UnavailableError";
}
