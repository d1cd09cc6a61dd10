import { parseTime } from "./time";

/** What Alpaca's clock says, validated. */
export interface MarketHours {
  readonly isOpen: boolean;
  /** As it was written. */
  readonly nextOpen: string;
  readonly nextClose: string;
  /** Milliseconds until the market opens; if it is open, until it opens again. */
  readonly opensIn: number;
}

/** The clock's answer is not what it must be. The message says what was expected and found. */
export class MarketClockError extends Error {
  override readonly name = "MarketClockError";
}

/** ISO 8601 with its offset, to any part of a second. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$/i;

/** If the clocks differ by more, the answer comes from a cache, or one of the two is wrong. In milliseconds. */
const MOST_SKEW = 10 * 60_000;

/**
 * Reads the answer of `GET /v2/clock`.
 *
 * @param now this machine's time.
 * @throws MarketClockError if it is anything else
 */
export function marketHours(body: string, now: Date): MarketHours {
  const answer = objectIn(body);
  const isOpen = answer.is_open;
  if (typeof isOpen !== "boolean") throw wrong("`is_open` true or false", found(answer, "is_open"));
  const [nextOpen, nextClose] = [timeIn(answer, "next_open"), timeIn(answer, "next_close")];
  const time = answer.timestamp === undefined ? now.getTime() : Date.parse(timeIn(answer, "timestamp"));
  if (Math.abs(time - now.getTime()) > MOST_SKEW) {
    throw wrong(
      "the time of now",
      `${String(answer.timestamp)}, when it is ${now.toISOString()} here: an old answer, or a wrong clock`,
    );
  }
  const opensIn = Date.parse(nextOpen) - Math.max(time, now.getTime());
  if (opensIn <= 0) throw wrong("`next_open` in the future", nextOpen);
  return { isOpen, nextOpen, nextClose, opensIn };
}

function objectIn(body: string): Readonly<Record<string, unknown>> {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    throw wrong("`is_open` in a JSON object", body.trim() === "" ? "an empty answer" : "text that is no JSON");
  }
  if (typeof answer === "object" && answer !== null && !Array.isArray(answer)) return answer as Record<string, unknown>;
  throw wrong(
    "`is_open` in a JSON object",
    Array.isArray(answer) ? "a list" : `${answer === null ? "null" : typeof answer}`,
  );
}

function timeIn(answer: Readonly<Record<string, unknown>>, key: string): string {
  const value = answer[key];
  if (typeof value === "string" && TIME.test(value) && parseTime(value) !== undefined) return value;
  throw wrong(`\`${key}\` a time such as 2026-11-23T09:30:00-05:00`, found(answer, key));
}

function found(answer: Readonly<Record<string, unknown>>, key: string): string {
  if (Object.hasOwn(answer, key)) return JSON.stringify(answer[key]).slice(0, 60);
  return `none (its fields: ${Object.keys(answer).slice(0, 6).join(", ").slice(0, 100) || "none"})`;
}

const wrong = (expected: string, what: string) => new MarketClockError(`expected ${expected}, found ${what}`);
