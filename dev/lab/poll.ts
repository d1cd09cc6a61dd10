/** How long to ask for something, and how often. */
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
  const end = performance.now() + options.limitMs;
  let lastError: unknown;
  for (;;) {
    try {
      const answer = await question();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      lastError = error;
      if (error instanceof PollAbort) throw error.cause;
    }
    if (performance.now() >= end) {
      const seen = lastError instanceof Error ? `; last answer: ${lastError.message}` : "";
      throw new Error(`${options.what}: not there after ${options.limitMs} ms${seen}`, { cause: lastError });
    }
    await pause(options.everyMs ?? 25);
  }
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
