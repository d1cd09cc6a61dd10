import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Blackout, type Calendar, openingAt, openings } from "../../../core/calendar";
import { dueAt, dueFrom, earliestAt, limitAt } from "../../../core/deadlines";
import { parseDuration } from "../../../core/duration";
import type { SecretState } from "../../../core/state";
import { outlookOf } from "../../../core/waiting";
import { addDays, dayIn, localTime, WEEK, weekdayOf } from "../../../core/wall-clock";
import { decideAt, NEW_YORK, policyWith, settled } from "./window-inputs";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const clock = fc.integer({ min: 0, max: 47 }).map((half) => {
  const two = (n: number) => String(n).padStart(2, "0");
  return `${two(Math.floor(half / 2))}:${half % 2 === 0 ? "00" : "30"}`;
});
const windows = fc.array(
  fc
    .record({
      days: fc.subarray([...WEEK], { minLength: 1 }),
      from: clock,
      to: clock,
      timezone: fc.constantFrom(NEW_YORK, "Europe/London", "Australia/Lord_Howe", "UTC"),
    })
    .filter(({ from, to }) => from !== to),
  { maxLength: 3 },
);
const blackouts = fc.array(
  fc
    .record({ from: fc.integer({ min: 0, max: 900 }), length: fc.integer({ min: 0, max: 120 }) })
    .map(({ from, length }): Blackout => {
      const first = addDays("2026-01-01", from);
      return { kind: "days", from: first, to: addDays(first, length) };
    }),
  { maxLength: 5 },
);
const policies = fc
  .record({
    windows,
    blackouts,
    takes: fc.constantFrom(60_000, 20 * 60_000, 2 * HOUR),
    lead: fc.constantFrom("24h", "8d", "1h"),
    early: fc.integer({ min: 0, max: 7 * DAY }),
  })
  .map(({ lead, early, ...rest }) => policyWith(rest, { lead: parseDuration(lead), early }));

/** As a person would check it: the clock on the wall, and the date. */
function expectInside({ windows, blackouts, timezone }: Calendar, moment: number): void {
  const shownIn = windows.filter((window) => {
    const today = dayIn(moment, window.timezone);
    const shown = localTime(moment, window.timezone).slice(11, 16);
    const { from, to, days } = window;
    const begun = days.includes(weekdayOf(today)) && shown >= from && (to <= from || shown < to);
    const goesOn = days.includes(weekdayOf(addDays(today, -1))) && to <= from && shown < to;
    return begun || goesOn;
  });
  expect(windows.length === 0 || shownIn.length > 0).toBe(true);
  const date = dayIn(moment, timezone);
  for (const one of blackouts) if (one.kind === "days") expect(date >= one.from && date <= one.to).toBe(false);
}

describe("of any calendar", () => {
  it("the chosen moment is in a window, outside of blackouts, with enough time left, and before the limit if any opening is", () => {
    fc.assert(
      fc.property(policies, fc.integer({ min: 0, max: 700 * 24 }), (policy, hours) => {
        const rotated = new Date(Date.parse("2026-01-01T00:30:00Z") + hours * HOUR).toISOString();
        const state = { ...settled, rotatedAt: rotated, step: { ...settled.step, at: rotated } };
        const own = policy.calendar as Calendar;
        const due = dueAt(state, policy).getTime();
        const opening = openingAt(own, due);
        const limit = limitAt(state, policy).getTime();
        const begin = Math.max(Date.parse(rotated), earliestAt(state, policy));
        const before = openings(own, { start: begin, end: limit + 1 }).filter(
          ({ start }) => start > Date.parse(rotated),
        );
        if (before.length > 0) expect(due).toBeLessThanOrEqual(limit);
        if (opening !== undefined) {
          expect(due + own.takes).toBeLessThanOrEqual(opening.end);
          expect(decideAt(due, policy, state).action).toBe("ROTATE");
          for (const moment of [due, due + own.takes - 1]) expectInside(own, moment);
        }
        expect(dueFrom(state, policy).getTime()).toBeLessThanOrEqual(due);
      }),
      { numRuns: 60 },
    );
  });

  it("never moves to an earlier moment as time goes on", () => {
    fc.assert(
      fc.property(
        policies,
        fc.array(fc.integer({ min: 0, max: 100 * DAY }), { minLength: 2, maxLength: 4 }),
        (policy, ages) => {
          const times = ages.toSorted((a, b) => a - b).map((age) => new Date(Date.parse(settled.rotatedAt) + age));
          const next = times.map((now) => outlookOf(settled, policy, now)?.next?.begins ?? Number.POSITIVE_INFINITY);
          expect(next).toEqual(next.toSorted((a, b) => a - b));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("over two years of hourly runs every rotation by age is inside, and none is late that could have been in time", () => {
    fc.assert(
      fc.property(policies, (policy) => {
        const own = policy.calendar as Calendar;
        let state: SecretState = settled;
        let now = Date.parse(settled.rotatedAt);
        const end = now + 730 * DAY;
        while (now < end) {
          now += HOUR;
          const decided = decideAt(now, policy, state);
          if (decided.action === "ROTATE") {
            expect(openingAt(own, now)).toBeDefined();
            const limit = limitAt(state, policy).getTime();
            // Hourly: what opened within the last hour may not have been seen.
            const missed = openings(own, { start: dueAt(state, policy).getTime(), end: Math.min(limit, now - HOUR) });
            const couldHave = missed.some(
              ({ start, lastBegin }) => lastBegin - start >= HOUR && lastBegin <= limit && lastBegin < now - HOUR,
            );
            if (now > limit) expect(couldHave).toBe(false);
          }
          state = decided.state;
          // Nothing happens before the next due date: skip most of the time.
          const next = dueAt(state, policy).getTime();
          if (state.revoked && next > now + DAY) now = next - HOUR - (next % HOUR);
          const opens = outlookOf(state, policy, new Date(now))?.next?.begins ?? end;
          if (state.revoked && opens > now + DAY) now = opens - HOUR - (opens % HOUR);
        }
      }),
      { numRuns: 8 },
    );
  });
});
