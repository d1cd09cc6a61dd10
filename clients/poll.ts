const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** How long to poll, and how often. */
export interface PollOptions<T> {
  /** Milliseconds until the last query; without it there is no limit. */
  readonly limit?: number;
  /** Milliseconds until the next query; undefined: there is none. `asked` is the number of queries so far, from 1. */
  readonly every: number | ((answer: T, asked: number) => number | undefined);
}

/**
 * Queries until an answer is enough, and returns the last one, from which the caller sees whether it is enough.
 *
 * @param question the query. It gets its number, from 1; an error ends the polling.
 */
export async function poll<T>(
  question: (number: number) => T | Promise<T>,
  isEnough: (answer: T) => boolean,
  { limit = Number.POSITIVE_INFINITY, every }: PollOptions<T>,
): Promise<T> {
  const end = performance.now() + limit;
  for (let [asked, isLast] = [1, false]; ; asked++) {
    const answer = await question(asked);
    const left = end - performance.now();
    if (isEnough(answer) || isLast || left <= 0) return answer;
    const wait = typeof every === "number" ? every : every(answer, asked);
    if (wait === undefined) return answer;
    // The last query is sent when time is up.
    isLast = wait >= left;
    await pause(Math.min(wait, left));
  }
}

/**
 * The first success; the last failure, if every attempt fails in a way that may pass.
 *
 * @param mayPass whether another attempt may succeed after this error
 * @param pause milliseconds before the next attempt
 */
export async function retry<T>(
  attempt: () => Promise<T>,
  mayPass: (error: unknown) => boolean,
  { attempts, pause: every }: { readonly attempts: number; readonly pause: number },
): Promise<T> {
  const outcome = await poll(
    async (number) => {
      try {
        return { value: await attempt() };
      } catch (error) {
        if (number >= attempts || !mayPass(error)) throw error;
        return undefined;
      }
    },
    (found) => found !== undefined,
    { every },
  );
  // Without a limit, polling ends with a success or an error.
  return (outcome as { readonly value: T }).value;
}

/** Pauses that double from the first to the longest, in milliseconds. @param asked queries so far, from 1 */
export const doubling = (first: number, longest: number, asked: number): number =>
  Math.min(first * 2 ** (asked - 1), longest);

/** A promise that fails after so many milliseconds. */
export function within<T>(limit: number, promise: Promise<T>, failure: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(failure()), limit);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
