import { poll as pollFor } from "../../clients/poll";
import { messageOf } from "../../core/errors";

/** How long to poll, and how often. */
export interface PollOptions {
  /** What is awaited, for the error: "PostgreSQL on 127.0.0.1:5433". */
  what: string;
  /** Milliseconds until giving up. */
  limitMs: number;
  /** Milliseconds between two questions; 25 by default. */
  everyMs?: number;
}

/**
 * Asks until the answer is neither undefined nor false, and returns it.
 * A question that throws counts as "not yet"; its last error is the cause of the one thrown when time is up.
 */
export async function poll<T>(
  question: () => Promise<T | undefined | false> | T | undefined | false,
  options: PollOptions,
): Promise<T> {
  let lastError: unknown;
  const asked = async () => {
    try {
      return await question();
    } catch (error) {
      lastError = error;
      if (error instanceof PollAbort) throw error.cause;
      return undefined;
    }
  };
  const isThere = (answer: T | undefined | false): answer is T => answer !== undefined && answer !== false;
  const { what, limitMs: limit, everyMs: every = 25 } = options;
  const answer = await pollFor(asked, isThere, { limit, every });
  if (isThere(answer)) return answer;
  const seen = lastError === undefined ? "" : `; last answer: ${messageOf(lastError)}`;
  throw new Error(`${what}: not there after ${limit} ms${seen}`, { cause: lastError });
}

/** Thrown by a question to end the polling at once with `cause` as the error. */
export class PollAbort extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

/** Resolves after `ms` milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
