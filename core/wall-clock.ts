import { Temporal } from "temporal-polyfill";
import type { Span } from "./spans";
import { DAY } from "./time";

/** The days of a week, as ISO 8601 orders them. */
export const WEEK = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"] as const;

export type Weekday = (typeof WEEK)[number];

/** Times of a day as a wall clock shows them, `02:00`. If `to` is not after `from`, it is on the next day. */
export interface Hours {
  readonly from: string;
  /** `24:00` is the end of the day. */
  readonly to: string;
}

const at = (time: number, zone: string) => Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(zone);

/** Whether it is a name of the IANA time zone database, such as `America/New_York`. An offset is none. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    at(0, name);
    return true;
  } catch {
    return false;
  }
}

/** The date that a calendar in a time zone shows, `2026-12-05`. */
export const dayIn = (time: number, zone: string): string => at(time, zone).toPlainDate().toString();

/** The date so many days after another one. */
export const addDays = (day: string, days: number): string =>
  new Date(Date.parse(day) + days * DAY).toISOString().slice(0, 10);

/** Dates have no time zone: this needs none, and is computed for each day of a year. 1970 began on a Thursday. */
export const weekdayOf = (day: string): Weekday => WEEK[(((Date.parse(day) / DAY + 3) % 7) + 7) % 7] as Weekday;

/** Whether it is a date that exists, written as `2026-12-24`. */
export function isDay(text: string): boolean {
  try {
    return /^\d{4}-\d{2}-\d{2}$/.test(text) && Temporal.PlainDate.from(text, { overflow: "reject" }) !== undefined;
  } catch {
    return false;
  }
}

/** The first moment of a day in a time zone; not always 00:00. */
export const startOfDay = (day: string, zone: string): number =>
  Temporal.PlainDate.from(day).toZonedDateTime(zone).epochMilliseconds;

/** The moment of a wall clock's time, `2026-12-05T02:00:00`; of two, the first, and in a gap what clocks skip to. */
export const momentOf = (local: string, zone: string): number =>
  Temporal.PlainDateTime.from(local).toZonedDateTime(zone).epochMilliseconds;

/** The two moments at which a clock may show a time; the change of the clocks if it shows that time at no moment. */
function momentsOf(day: string, time: string, zone: string): readonly [number, number] {
  const [date, clock] = time === "24:00" ? [addDays(day, 1), "00:00"] : [day, time];
  const local = Temporal.PlainDate.from(date).toPlainDateTime(clock);
  const [first, second] = (["earlier", "later"] as const).map((disambiguation) =>
    local.toZonedDateTime(zone, { disambiguation }),
  ) as [Temporal.ZonedDateTime, Temporal.ZonedDateTime];
  if (first.toPlainDateTime().equals(local)) return [first.epochMilliseconds, second.epochMilliseconds];
  const change = (first.getTimeZoneTransition("next") ?? second).epochMilliseconds;
  return [change, change];
}

/**
 * The time in which a wall clock shows these hours of a day, without a break. When clocks are set back and show an hour
 * twice, it begins with the second time and ends with the first one, so that every moment is inside by any reading; hours
 * within that hour are those of the second time. When clocks skip an hour, what is in it does not exist.
 */
export function spanOfHours(day: string, { from, to }: Hours, zone: string): Span | undefined {
  const [, start] = momentsOf(day, from, zone);
  const [first, second] = momentsOf(to > from ? day : addDays(day, 1), to, zone);
  const end = first > start ? first : second;
  return end > start ? { start, end } : undefined;
}

/** A moment for people, to the minute: `2026-12-05 02:00 EST`. */
export function localTime(time: number, zone: string): string {
  const there = at(time, zone);
  const name = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "short" })
    .formatToParts(time)
    .find(({ type }) => type === "timeZoneName")?.value;
  return `${there.toPlainDate()} ${there.toPlainTime().toString({ smallestUnit: "minute" })} ${name ?? zone}`;
}
