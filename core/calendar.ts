import type ICAL from "ical.js";
import { eventsOf, type NamedSpan, spansOfEvents } from "./calendar-file";
import { includes, type Span, union, without } from "./spans";
import { DAY } from "./time";
import { addDays, dayIn, type Hours, spanOfHours, startOfDay, type Weekday, weekdayOf } from "./wall-clock";

/** Hours in which a rotation may run, on each of these days. `days` are those on which it begins. */
export interface Window extends Hours {
  readonly days: readonly Weekday[];
  /** A name of the IANA time zone database. */
  readonly timezone: string;
}

/** Days or times in which no rotation by age begins; both ends of `days` belong to it. */
export type Blackout =
  | { readonly kind: "days"; readonly from: string; readonly to: string; readonly reason?: string }
  | { readonly kind: "times"; readonly start: number; readonly end: number; readonly reason?: string }
  | { readonly kind: "file"; readonly file: string; readonly text: string };

/** When an exchange trades. */
export interface Market extends Window {
  /** For messages: its code, or `the market`. */
  readonly name: string;
  readonly holidays: readonly Blackout[];
  /** Days on which it opens later or closes earlier. */
  readonly shortDays: Readonly<Record<string, Hours>>;
}

/** No rotation by age or of a new key before `until`. */
export interface Pause {
  /** Milliseconds since 1970. */
  readonly until: number;
  readonly reason: string;
}

/** When the rotations of a secret may run. Data; the functions below are pure. */
export interface Calendar {
  /** Empty: at any time. */
  readonly windows: readonly Window[];
  readonly blackouts: readonly Blackout[];
  /** Undefined if an open market does not matter, or is asked elsewhere. */
  readonly market: Market | undefined;
  readonly paused: Pause | undefined;
  /** Of blackouts that are whole days, and of times in messages. */
  readonly timezone: string;
  /** How long a rotation may take, in milliseconds: so much time must be left when it begins. */
  readonly takes: number;
}

/** What was computed once for an object of the config: a year of status would compute it hundreds of times. */
const daysOf = new WeakMap<Hours, Map<string, Span | undefined>>();
const spansOfDays = new WeakMap<Blackout, { readonly zone: string; readonly span: NamedSpan }>();
const eventsIn = new WeakMap<Blackout, { events: ICAL.Event[]; until: number; zone: string; spans: NamedSpan[] }>();

function spanOn(day: string, hours: Hours, zone: string): Span | undefined {
  const known = daysOf.get(hours) ?? new Map<string, Span | undefined>();
  daysOf.set(hours, known);
  if (!known.has(day)) known.set(day, spanOfHours(day, hours, zone));
  return known.get(day);
}

/** The hours of a window that touch a time. */
function windowSpans(window: Window, { start, end }: Span, hoursOn: (day: string) => Hours = () => window): Span[] {
  const { timezone, days } = window;
  const last = dayIn(end, timezone);
  const found: Span[] = [];
  for (let day = addDays(dayIn(start, timezone), -1); day <= last; day = addDays(day, 1)) {
    const span = days.includes(weekdayOf(day)) ? spanOn(day, hoursOn(day), timezone) : undefined;
    if (span !== undefined && span.end > start && span.start < end) found.push(span);
  }
  return found;
}

/** The hours in which the market trades. */
export function marketSpans(market: Market, time: Span): Span[] {
  const open = windowSpans(market, time, (day) => market.shortDays[day] ?? market);
  return without(
    open,
    market.holidays.flatMap((holiday) => blackoutSpans(holiday, market.timezone, time)),
  );
}

/** The times of a blackout that touch a time. */
export function blackoutSpans(blackout: Blackout, zone: string, { start, end }: Span): NamedSpan[] {
  const touches = (span: Span) => span.end > start && span.start < end;
  switch (blackout.kind) {
    case "days":
      return [daysSpan(blackout, zone)].filter(touches);
    case "times":
      return [{ name: blackout.reason ?? "blackout", start: blackout.start, end: blackout.end }].filter(touches);
    case "file":
      return fileSpans(blackout, zone, end).filter(touches);
  }
}

function daysSpan(blackout: Extract<Blackout, { kind: "days" }>, zone: string): NamedSpan {
  const known = spansOfDays.get(blackout);
  if (known?.zone === zone) return known.span;
  const { from, to, reason } = blackout;
  const name = reason ?? (from === to ? from : `${from} to ${to}`);
  const span = { name, start: startOfDay(from, zone), end: startOfDay(addDays(to, 1), zone) };
  spansOfDays.set(blackout, { zone, span });
  return span;
}

function fileSpans(blackout: Extract<Blackout, { kind: "file" }>, zone: string, end: number): NamedSpan[] {
  const known = eventsIn.get(blackout);
  if (known !== undefined && known.zone === zone && end <= known.until) return known.spans;
  const events = known?.events ?? eventsOf(blackout.text);
  const until = end + 366 * DAY;
  const spans = spansOfEvents(events, zone, until);
  eventsIn.set(blackout, { events, until, zone, spans });
  return spans;
}

/** The blackouts that touch a time, by name. */
export const blackoutsIn = ({ blackouts, timezone }: Calendar, time: Span): NamedSpan[] =>
  blackouts.flatMap((blackout) => blackoutSpans(blackout, timezone, time));

/** Times in which a rotation may run as a whole, with the last moment at which it may begin. */
export interface Opening extends Span {
  readonly lastBegin: number;
}

/** The openings that touch a time and are long enough for a rotation. Their ends may lie outside of it. */
export function openings(calendar: Calendar, time: Span): Opening[] {
  const { windows, market, paused, takes } = calendar;
  // Wide enough that what begins or ends near the edge is seen as a whole.
  const wide = { start: time.start - 3 * DAY - takes, end: time.end + 3 * DAY + takes };
  const inside = windows.length === 0 ? [wide] : union(windows.flatMap((window) => windowSpans(window, wide)));
  const closed = [
    ...blackoutsIn(calendar, wide),
    ...(market === undefined ? [] : marketSpans(market, wide)),
    ...(paused === undefined ? [] : [{ start: Number.NEGATIVE_INFINITY, end: paused.until }]),
  ];
  return without(inside, closed)
    .map(({ start, end }) => ({ start, end, lastBegin: end - takes }))
    .filter(({ start, lastBegin }) => start <= lastBegin && start < time.end && lastBegin >= time.start);
}

/** The opening in which a rotation may begin now; undefined if it may not. */
export const openingAt = (calendar: Calendar, now: number): Opening | undefined =>
  openings(calendar, { start: now, end: now + 1 }).find(({ start, lastBegin }) => start <= now && now <= lastBegin);

/** How far ahead an opening is searched for. */
export const HORIZON = 400 * DAY;

/** The first moment from `from` on at which a rotation may begin, and its opening; undefined within {@link HORIZON}. */
export function nextOpening(calendar: Calendar, from: number): (Opening & { readonly begins: number }) | undefined {
  const { paused } = calendar;
  const first = Math.max(from, paused?.until ?? from);
  const step = 32 * DAY;
  for (let start = first; start < first + HORIZON; start += step) {
    const found = openings(calendar, { start, end: start + step }).find(({ lastBegin }) => lastBegin >= start);
    if (found !== undefined) return { ...found, begins: Math.max(start, found.start) };
  }
  return undefined;
}

/** Whether the market trades now, and when that changes; undefined if nothing changes within weeks. */
export function marketAt(
  market: Market,
  now: number,
): { readonly isOpen: boolean; readonly until: number | undefined } {
  const spans = marketSpans(market, { start: now - DAY, end: now + 30 * DAY });
  const open = spans.find((span) => includes(span, now));
  return open === undefined
    ? { isOpen: false, until: spans.find(({ start }) => start > now)?.start }
    : { isOpen: true, until: open.end };
}
