import * as z from "zod";
import type { Blackout, Market, Pause } from "./calendar";
import exchanges from "./exchanges.json";
import { oneOf } from "./problem";
import { settings, text } from "./schema-parts";
import { type Hours, isDay, isTimeZone, WEEK } from "./wall-clock";

/** The exchanges whose calendar comes with this program, by their code (ISO 10383). */
const EXCHANGES: Readonly<Record<string, Exchange>> = exchanges;

interface Exchange extends Hours {
  readonly timezone: string;
  readonly holidays: readonly string[];
  readonly shortDays: Readonly<Record<string, Hours>>;
}

const CLOCK = /^([01]\d|2[0-3]):[0-5]\d$/;
const from = text(CLOCK, 'expected a time in quotes, such as "02:00"');
const to = text(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'expected a time in quotes, such as "05:00", at the most "24:00"');
const days = z.array(z.enum(WEEK)).min(1, `expected at least one day (${WEEK.join(", ")})`);

const timezone = z
  .string("expected a time zone, such as America/New_York")
  .refine(isTimeZone, "expected a time zone of the IANA database, such as America/New_York or UTC");

/** Pulumi hands over a time that YAML has without quotes as `2026-12-24 18:00:00 -0500 EST`. */
const UNQUOTED = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}) ([+-]\d{2})(\d{2}) \S+$/;

/** The day or the moment of a text. YAML turns a bare date into midnight UTC, so that counts as a day. */
function readTime(written: string): { readonly day: string } | { readonly moment: number } | undefined {
  const iso = written.replace(UNQUOTED, "$1T$2$3:$4").replace(/\+00:00$/, "Z");
  const day = iso.replace(/T00:00:00Z$/, "");
  if (isDay(day)) return { day };
  const hasOffset = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})$/.test(iso);
  const moment = Date.parse(iso);
  return hasOffset && !Number.isNaN(moment) ? { moment } : undefined;
}

const WHEN = "expected a date such as 2026-12-24, or a time with its offset such as 2026-12-24T18:00:00-05:00";
const when = z.string(WHEN).refine((value) => readTime(value) !== undefined, WHEN);

/** A single value counts as a list of one. */
const asList = (value: unknown) => (value === undefined || Array.isArray(value) ? value : [value]);

/** Hours in which a rotation by age or of a new key may begin and end. */
const windowEntry = settings({
  /** The days on which it begins, such as `[SAT, SUN]`. Default: every day. */
  days: days.optional().default([...WEEK]),
  /** When it begins, in quotes: `"02:00"`. */
  from,
  /** When it ends; if that is not after `from`, on the next day. `"24:00"` is the end of the day. */
  to,
  /** A name of the IANA database, such as `America/New_York`. Daylight saving is taken into account. */
  timezone,
}).superRefine((value, context) => {
  if (value.from !== value.to) return;
  const message = `expected another time than \`from\`, found ${value.to} for both; a whole day is "00:00" to "24:00"`;
  context.addIssue({ code: "custom", path: ["to"], message });
});

/** One window or a list. */
export const window = z.preprocess(asList, z.array(windowEntry).min(1, "expected at least one window"));

/** `2026-12-24`, `2026-12-20/2027-01-02` and `earnings.ics` as the object that they stand for. */
function written(value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (/\.ics$/i.test(value)) return { file: value };
  const [first, last, ...more] = value.split("/");
  return more.length > 0 ? { from: value } : { from: first, to: last };
}

const blackoutEntry = z
  .preprocess(
    written,
    settings({
      /** An iCalendar file, relative to the project's folder: each event of it, also one that repeats. */
      file: z
        .string()
        .regex(/\.ics$/i, "expected the path of an iCalendar file, NAME.ics")
        .optional(),
      /** The first day, or a time with its offset. */
      from: when.optional(),
      /** The last day, which belongs to it, or the time at which it ends. Default: the day `from`. */
      to: when.optional(),
      /** For the plan and the status, such as `Q4 earnings`. */
      reason: z.string().min(1).max(100).optional(),
    }),
  )
  .transform((value, context): Blackout => {
    const made = blackoutOf(value);
    if (typeof made !== "string") return made;
    context.addIssue({ code: "custom", message: made });
    return z.NEVER;
  });

/** The blackout, or what is wrong with it. */
function blackoutOf(value: {
  file?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  reason?: string | undefined;
}): Blackout | string {
  const { file, reason } = value;
  const why = reason === undefined ? {} : { reason };
  if (file !== undefined)
    return value.from === undefined
      ? { kind: "file", file, text: "" }
      : "expected either `file` or `from` and `to`, found both";
  const first = readTime(value.from ?? "");
  const last = readTime(value.to ?? value.from ?? "");
  if (first === undefined || last === undefined) return "expected `from` or `file`, found neither";
  if ("day" in first && "day" in last) {
    if (last.day < first.day) return `expected a day not before ${first.day}, found ${last.day}`;
    return { kind: "days", from: first.day, to: last.day, ...why };
  }
  if ("moment" in first && "moment" in last) {
    if (last.moment <= first.moment) return "expected `to` after `from`, found it at the same time or before";
    return { kind: "times", start: first.moment, end: last.moment, ...why };
  }
  return "expected two dates or two times, found one of each";
}

/** One blackout or a list: dates, ranges of dates, iCalendar files. */
export const blackouts = z.preprocess(asList, z.array(blackoutEntry).min(1, "expected at least one blackout"));

/** No rotation by age or of a new key until a time. */
export const paused = settings({
  /** A date (its first moment, in the time zone of the window) or a time with its offset. */
  until: when,
  /** Why, for the plan and the status. */
  reason: z.string("expected a reason").min(1, "expected a reason").max(200),
});

/** The pause with its end as a moment. */
export function pauseOf({ until, reason }: z.output<typeof paused>, startOf: (day: string) => number): Pause {
  const read = readTime(until);
  if (read === undefined) throw new TypeError(WHEN);
  return { until: "day" in read ? startOf(read.day) : read.moment, reason };
}

const ownHours = settings({ from, to });

/** When the market trades, without asking Alpaca. */
export const market = settings({
  /** A code of ISO 10383: its hours, holidays and short days until 2032 come with this program. */
  exchange: z.enum(Object.keys(EXCHANGES) as [string, ...string[]]).optional(),
  /** Instead of `exchange`: the days on which it trades. Default: Monday to Friday. */
  days: days.optional(),
  /** When it opens, in quotes. With `exchange`: instead of its own hours, such as the extended hours from `"04:00"`. */
  from: from.optional(),
  /** When it closes, also on short days of the exchange if it is set here: extended hours may go on after an early close. */
  to: to.optional(),
  /** Instead of the exchange's: a name of the IANA database. */
  timezone: timezone.optional(),
  /** Days on which it does not trade, as in `blackouts`; in addition to those of `exchange`. */
  holidays: blackouts.optional(),
  /** Days with other hours, by date: `{ "2026-11-27": { from: "09:30", to: "13:00" } }`; instead of those of `exchange`. */
  shortDays: z.record(z.string().refine(isDay, "expected a date such as 2026-11-27"), ownHours).optional(),
}).transform((value, context): Market => {
  const known = value.exchange === undefined ? undefined : EXCHANGES[value.exchange];
  const { from: opens = known?.from, to: closes = known?.to, timezone: zone = known?.timezone } = value;
  if (opens === undefined || closes === undefined || zone === undefined || opens === closes) {
    const message = `expected \`exchange\` (${oneOf(Object.keys(EXCHANGES))}), or \`from\`, \`to\` and \`timezone\``;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  }
  const isOwn = value.from !== undefined || value.to !== undefined;
  const short = Object.entries(known?.shortDays ?? {}).map(([day, hours]) => [
    day,
    { from: value.from ?? hours.from, to: value.to ?? hours.to },
  ]);
  const closed = (known?.holidays ?? []).map((day): Blackout => ({ kind: "days", from: day, to: day }));
  return {
    name: value.exchange === undefined ? "the market" : `${value.exchange}${isOwn ? " (own hours)" : ""}`,
    days: value.days ?? WEEK.slice(0, 5),
    from: opens,
    to: closes,
    timezone: zone,
    holidays: [...closed, ...(value.holidays ?? [])],
    shortDays: { ...Object.fromEntries(short), ...value.shortDays },
  };
});

/** A secret's own part of the calendar. */
export const calendarSettings = {
  /** Instead of the stack's `window`: the hours in which this secret may rotate; one or a list. */
  window: window.optional(),
  /** In addition to the stack's `blackouts`. */
  blackouts: blackouts.optional(),
  /** No rotation by age or of a new key until then. It never hides that the secret passes `maxAge`. */
  paused: paused.optional(),
};
