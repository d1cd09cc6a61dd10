import ms from "ms";
import { DAY } from "./time";

/** Milliseconds. A type of its own so that a number of days is never passed for it. */
export type Duration = number & { readonly unit: "ms" };

const WRITTEN = /^(\d+(?:\.\d+)?)(s|m|h|d)$/;

/**
 * Reads a duration as the config writes it: a number and its unit, `90d`, `24h`, `30m` or `45s`.
 *
 * @throws Error that names the expected form if the text is anything else.
 */
export function parseDuration(text: string): Duration {
  if (!WRITTEN.test(text)) {
    throw new Error(`expected a duration such as 90d, 24h, 30m or 45s, found ${JSON.stringify(text)}`);
  }
  return ms(text as ms.StringValue) as Duration;
}

/** `parseDuration`'s inverse for people: the largest unit that divides evenly, else the nearest whole one. */
export function formatDuration(duration: number): string {
  for (const [unit, length] of [
    ["d", DAY],
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1000],
  ] as const) {
    if (duration >= length && duration % length === 0) return `${duration / length}${unit}`;
  }
  return ms(duration);
}
