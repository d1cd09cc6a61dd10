import { setTimeout as pause } from "node:timers/promises";

/** How long to ask for something, and how often. */
export interface PollOptions<T> {
  /** Milliseconds until the last question; without it there is no last one. */
  readonly limit?: number;
  /** Milliseconds until the next question; undefined: it is not asked. `asked` is the number of questions so far, from 1. */
  readonly every: number | ((answer: T, asked: number) => number | undefined);
}

/**
 * Asks until an answer is enough, and returns the last one: whether it is enough or time is up, the caller sees by it.
 *
 * @param question is given its number, from 1; what it throws ends the polling.
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
    // The last question is asked when time is up.
    isLast = wait >= left;
    await pause(Math.min(wait, left));
  }
}

/** Pauses that double from the first to the longest, in milliseconds. @param asked questions so far, from 1 */
export const doubling = (first: number, longest: number, asked: number): number =>
  Math.min(first * 2 ** (asked - 1), longest);

/** A promise that fails after so many milliseconds. */
export function within<T>(limit: number, promise: Promise<T>, failure: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(failure()), limit);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
