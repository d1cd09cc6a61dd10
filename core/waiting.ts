import {
  blackoutsIn,
  type Calendar,
  marketSpans,
  nextOpening,
  type Opening,
  openingAt,
  openings,
  type Window,
} from "./calendar";
import { dueFrom, earliestAt, limitAt } from "./deadlines";
import { formatDuration } from "./duration";
import type { Policy } from "./policy";
import { includes } from "./spans";
import type { SecretState } from "./state";
import { localTime, WEEK } from "./wall-clock";

/** `SAT, SUN 02:00-05:00 America/New_York`. */
export function windowText({ days, from, to, timezone }: Window): string {
  return `${days.length === WEEK.length ? "daily" : days.join(", ")} ${from}-${to} ${timezone}`;
}

/** Why a rotation may not begin now, and when one may. */
export interface Closed {
  /** What it is: `outside the window SAT, SUN 02:00-05:00 America/New_York`, `paused until 2026-12-05 02:00 EST (audit)`. */
  readonly state: string;
  /** What a rotation waits for: `the window SAT, SUN 02:00-05:00 America/New_York`. */
  readonly waitsFor: string;
  /** `opens 2026-12-05 02:00 EST`. */
  readonly opens: string;
}

/** Why the calendar is closed at a moment at which {@link openingAt} finds no opening. */
export function closedAt(calendar: Calendar, now: number): Closed {
  const { timezone, windows, market, paused, takes } = calendar;
  const time = { start: now, end: now + 1 };
  const next = nextOpening(calendar, now);
  const opens = next === undefined ? "there is none in sight" : `opens ${localTime(next.begins, timezone)}`;
  const list = windows.map(windowText).join("; ");
  const window = windows.length === 0 ? "the next opening" : `the window ${list}`;
  if (paused !== undefined && now < paused.until) {
    const pause = `until ${localTime(paused.until, timezone)} (${paused.reason})`;
    return { state: `paused ${pause}`, waitsFor: `the end of its pause ${pause}`, opens };
  }
  const blackout = blackoutsIn(calendar, time)[0];
  if (blackout !== undefined)
    return { state: `in the blackout ${blackout.name}`, waitsFor: `the end of the blackout ${blackout.name}`, opens };
  const trading = market && marketSpans(market, time).find((span) => includes(span, now));
  if (market !== undefined && trading !== undefined)
    return {
      state: `while ${market.name} is open`,
      waitsFor: `${market.name} to close at ${localTime(trading.end, timezone)}`,
      opens,
    };
  // Open, but not for long enough.
  const present = openings({ ...calendar, takes: 0 }, time).find((span) => includes(span, now));
  if (present !== undefined) {
    const left = `${localTime(present.end, timezone)}, and a rotation may take ${formatDuration(takes)}`;
    return { state: `less than that before ${left}`, waitsFor: `${window}: this one ends at ${left}`, opens };
  }
  return { state: `outside ${window}`, waitsFor: window, opens };
}

/** What the calendar means for a secret's next rotation by age. */
export interface Outlook {
  /** The next opening in which it may begin, from now on; undefined if none is in sight. */
  readonly next: (Opening & { readonly begins: number }) | undefined;
  /** How many openings are left before its maximum age, the present one included. */
  readonly left: number;
  /** What it waits for, in words; undefined if it is not due or may begin. */
  readonly waits: string | undefined;
  /** Set if no opening is left before the maximum age and that is not past: what to do about it, in words. */
  readonly alarm: string | undefined;
}

/** Undefined if the config does not limit when rotations run. Pure: the clock is an argument. */
export function outlookOf(state: SecretState, policy: Policy, now: Date): Outlook | undefined {
  const { calendar } = policy;
  if (calendar === undefined) return undefined;
  const time = now.getTime();
  const limit = limitAt(state, policy).getTime();
  const due = dueFrom(state, policy).getTime();
  const start = Math.max(time, earliestAt(state, policy));
  const left = start > limit ? 0 : openings(calendar, { start, end: limit + 1 }).length;
  const next = nextOpening(calendar, Math.max(time, due));
  const isClosed = openingAt(calendar, time) === undefined;
  return {
    next,
    left,
    waits: isClosed && time >= due ? waitsText(closedAt(calendar, time)) : undefined,
    alarm: left > 0 || time > limit ? undefined : alarmText(calendar, limit, next?.begins),
  };
}

/** `waits for the window SAT, SUN 02:00-05:00 America/New_York (opens 2026-12-05 02:00 EST)`. */
export const waitsText = ({ waitsFor, opens }: Closed): string => `waits for ${waitsFor} (${opens})`;

function alarmText({ timezone }: Calendar, limit: number, begins: number | undefined): string {
  const next = begins === undefined ? "none is in sight" : `the next is ${localTime(begins, timezone)}`;
  return (
    `no window is left before its maximum age at ${localTime(limit, timezone)}: ${next}. ` +
    "Add a window, shorten a blackout or a pause, or name it in `rotation run`, which waits for no window"
  );
}

/** A warning if a pause is over that is still in the config. */
export function pauseOver(secret: string, { calendar }: Policy, now: Date): string | undefined {
  const pause = calendar?.paused;
  if (calendar === undefined || pause === undefined || now.getTime() < pause.until) return undefined;
  const ended = localTime(pause.until, calendar.timezone);
  return `${secret}: its pause ended at ${ended} (${pause.reason}), and it rotates again. Remove \`paused\` from the config, or extend it`;
}
