import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SecretConfig } from "../../../config";
import { type Blackout, type Calendar, openingAt, openings, type Window } from "../../../core/calendar";
import { dueAt, dueFrom, earliestAt, limitAt } from "../../../core/deadlines";
import { type DecideInputs, decide, type Rules } from "../../../core/decide";
import { parseDuration } from "../../../core/duration";
import { describePlan } from "../../../core/plan";
import { DEFAULT_POLICY, type Policy } from "../../../core/policy";
import type { SecretState } from "../../../core/state";
import { outlookOf, pauseOver } from "../../../core/waiting";
import { addDays, dayIn, localTime, WEEK, weekdayOf } from "../../../core/wall-clock";
import { kindFor } from "../../../kinds";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NEW_YORK = "America/New_York";

const WEEKEND: Window = { days: ["SAT", "SUN"], from: "02:00", to: "05:00", timezone: NEW_YORK };
const calendar = (more: Partial<Calendar> = {}): Calendar => ({
  ...{ windows: [WEEKEND], blackouts: [], market: undefined, paused: undefined, timezone: NEW_YORK, takes: 7 * 60_000 },
  ...more,
});
const policyWith = (more: Partial<Calendar> = {}, own: Partial<Policy> = {}): Policy => ({
  ...DEFAULT_POLICY,
  ...own,
  calendar: calendar(more),
});

const rulesOf = (own: object, seen: object = {}, alpacaKeys: object = {}): Rules => {
  const secret = { name: "a/b", restart: [], ...own } as unknown as SecretConfig;
  return kindFor(secret).rules(secret, { policy: DEFAULT_POLICY, adopted: { "a/b": "x" }, alpacaKeys } as never, seen);
};
const password = rulesOf({ kind: "postgres-password", strategy: "alternating-users" });

function decideAt(
  now: string | number,
  policy: Policy,
  finished: SecretState | undefined,
  more: Partial<DecideInputs> = {},
) {
  const base = { secret: "a/b", now: new Date(now), policy, rules: password, request: undefined };
  return decide({ ...base, finished, recorded: finished, ...more });
}

/** Rotated on Tuesday, 2026-09-08 15:00 UTC: its limit is Monday, 2026-12-07 15:00 UTC. */
const made = decideAt("2026-09-08T15:00:00Z", DEFAULT_POLICY, undefined).state;
const settled = { ...made, revoked: true };
const at = (time: string, policy = policyWith(), more: Partial<DecideInputs> = {}) =>
  decideAt(time, policy, settled, more);

describe("a rotation by age", () => {
  it("waits for the window, and the plan says when that opens", () => {
    // Due from 2026-12-06 15:00 on; the last window before the limit is on that Sunday at 02:00.
    expect(dueAt(settled, policyWith()).toISOString()).toBe("2026-12-06T07:00:00.000Z");
    expect(at("2026-12-04T12:00:00Z")).toMatchObject({ action: undefined, reason: "nothing is due" });
    expect(at("2026-12-06T07:00:00Z")).toMatchObject({ action: "ROTATE", reason: "due by age" });
    expect(at("2026-12-06T07:00:00Z").state).toMatchObject({
      byAge: true,
      window: { until: "2026-12-06T10:00:00.000Z" },
    });
    const early = policyWith({}, { lead: parseDuration("8d") });
    expect(describePlan(at("2026-12-02T12:00:00Z", early))).toBe(
      "a/b: stays at generation 1 (waits for the window SAT, SUN 02:00-05:00 America/New_York (opens 2026-12-05 02:00 EST))",
    );
    expect(at("2026-12-05T08:30:00Z", early)).toMatchObject({ action: "ROTATE" });
  });

  it("does not begin in the last minutes of a window", () => {
    const policy = policyWith({}, { lead: parseDuration("8d") });
    expect(at("2026-12-05T09:53:00Z", policy).action).toBe("ROTATE");
    expect(at("2026-12-05T09:53:01Z", policy)).toMatchObject({
      action: undefined,
      waits:
        "waits for the window SAT, SUN 02:00-05:00 America/New_York: this one ends at 2026-12-05 05:00 EST, and a rotation may take 7m (opens 2026-12-06 02:00 EST)",
    });
  });

  it("waits for the end of a blackout, of a pause, and for the market to close", () => {
    const days: Blackout = { kind: "days", from: "2026-12-05", to: "2026-12-05", reason: "Q4 earnings" };
    const early = { lead: parseDuration("8d") };
    expect(at("2026-12-05T08:00:00Z", policyWith({ blackouts: [days] }, early)).waits).toBe(
      "waits for the end of the blackout Q4 earnings (opens 2026-12-06 02:00 EST)",
    );
    const paused = { until: Date.parse("2026-12-06T00:00:00Z"), reason: "release" };
    expect(at("2026-12-05T08:00:00Z", policyWith({ paused }, early)).waits).toBe(
      "waits for the end of its pause until 2026-12-05 19:00 EST (release) (opens 2026-12-06 02:00 EST)",
    );
    const market = {
      ...WEEKEND,
      name: "XNYS",
      days: WEEK.slice(0, 5),
      from: "09:30",
      to: "16:00",
      holidays: [],
      shortDays: {},
    };
    expect(at("2026-12-04T15:00:00Z", policyWith({ windows: [], market }, early)).waits).toBe(
      "waits for XNYS to close at 2026-12-04 16:00 EST (opens 2026-12-04 16:00 EST)",
    );
  });

  it("is carried out at any time without a calendar, and leaves no trace of one in the state", () => {
    const { state } = at("2026-12-07T12:00:00Z", DEFAULT_POLICY);
    expect(state.byAge).toBe(true);
    expect(state).not.toHaveProperty("window");
  });
});

describe("what does not wait", () => {
  const request = { id: "r", secret: "a/b", rotate: true as const, reason: "asked" };

  it("a request, which says so", () => {
    const decided = at("2026-10-01T12:00:00Z", policyWith(), { request });
    expect(decided).toMatchObject({ action: "ROTATE", mode: "rotation" });
    expect(describePlan(decided)).toBe(
      "a/b: rotates from generation 1 to 2 (asked; does not wait, though outside the window SAT, SUN 02:00-05:00 America/New_York (opens 2026-10-03 02:00 EDT))",
    );
    const paused = policyWith({ paused: { until: Date.parse("2027-01-01"), reason: "audit" } });
    expect(at("2026-10-01T12:00:00Z", paused, { request: { ...request, emergency: true } })).toMatchObject({
      action: "ROTATE",
      mode: "emergency",
      state: { window: { passedOver: expect.stringContaining("paused until 2026-12-31 19:00 EST (audit)") } },
    });
  });

  it("a rollback, the end of a grace period, the first update", () => {
    const rollback = { id: "r", secret: "a/b", activate: 0, reason: "orders fail" };
    const back = decideAt("2026-09-09T12:00:00Z", policyWith(), made, { request: rollback });
    expect(back).toMatchObject({ action: "ROLLBACK", reason: "orders fail" });
    expect(decideAt("2026-09-10T12:00:00Z", policyWith(), made)).toMatchObject({ action: "REVOKE" });
    expect(decideAt("2026-09-08T12:00:00Z", policyWith(), undefined)).toMatchObject({ action: "ADOPT" });
  });

  it("what was begun, which is finished outside of the window", () => {
    const begun = at("2026-12-06T07:00:00Z").state;
    const decided = at("2026-12-07T12:00:00Z", policyWith(), { recorded: begun });
    expect(decided).toMatchObject({ action: "ROTATE", resumes: true, to: 2 });
    expect(decided.reason).toBe(
      "due by age; finishes what an interrupted update had begun, though outside the window SAT, SUN 02:00-05:00 America/New_York",
    );
  });

  it("a password that Vault has rotated already; its own rotation by age does", () => {
    const seen = (rotation: string) => ({
      rules: rulesOf({ kind: "postgres-password", strategy: "vault-static" }, { rotation }),
    });
    const first = decideAt("2026-09-08T15:00:00Z", DEFAULT_POLICY, undefined, seen("2026-09-08T15:00:00Z")).state;
    const known = { ...first, vaultRotation: "2026-09-08T15:00:00Z" };
    expect(decideAt("2026-10-01T12:00:00Z", policyWith(), known, seen("2026-10-01T11:00:00Z"))).toMatchObject({
      action: "ROTATE",
      reason: expect.stringContaining("rotated by Vault"),
    });
    const due = decideAt("2026-12-07T12:00:00Z", policyWith(), known, seen("2026-09-08T15:00:00Z"));
    expect(due).toMatchObject({ action: undefined, waits: expect.stringContaining("waits for the window") });
  });
});

it("a new key waits, whatever the age of the old one, while a request for it does not", () => {
  const pair = (label: string) => ({ label, keyId: "", secretKey: "" });
  const keys = (current: string) => ({ "a/b": { current: pair(current), previous: pair("old-2026-09-01") } });
  const rules = rulesOf({ kind: "alpaca-key" }, {}, keys("new-2026-10-01"));
  const first = decideAt("2026-09-08T15:00:00Z", DEFAULT_POLICY, undefined, {
    rules: rulesOf({ kind: "alpaca-key" }, {}, { "a/b": { current: pair("old-2026-09-01") } }),
  }).state;
  expect(decideAt("2026-10-01T12:00:00Z", policyWith(), first, { rules })).toMatchObject({
    action: undefined,
    waits: expect.stringContaining("opens 2026-10-03 02:00 EDT"),
  });
  expect(decideAt("2026-10-03T06:00:00Z", policyWith(), first, { rules })).toMatchObject({
    action: "ROTATE",
    state: { window: { until: "2026-10-03T09:00:00.000Z" } },
  });
  const request = { id: "r", secret: "a/b", rotate: true as const, reason: "now" };
  expect(decideAt("2026-10-01T12:00:00Z", policyWith(), first, { rules, request }).action).toBe("ROTATE");
});

describe("the outlook", () => {
  it("says long before that no window is left, and what to do", () => {
    const freeze: Blackout = { kind: "days", from: "2026-09-09", to: "2027-01-05" };
    const outlook = outlookOf(settled, policyWith({ blackouts: [freeze] }), new Date("2026-09-20T00:00:00Z"));
    expect(outlook).toMatchObject({ left: 0, waits: undefined });
    expect(outlook?.alarm).toBe(
      "no window is left before its maximum age at 2026-12-07 10:00 EST: the next is 2027-01-09 02:00 EST. Add a window, shorten a blackout or a pause, or name it in `rotation run`, which waits for no window",
    );
    expect(outlookOf(settled, policyWith(), new Date("2026-12-06T07:00:00Z"))).toMatchObject({
      left: 1,
      alarm: undefined,
    });
    expect(outlookOf(settled, DEFAULT_POLICY, new Date())).toBeUndefined();
  });

  it("takes the last opening before a freeze, however long it is", () => {
    const freeze: Blackout = { kind: "days", from: "2026-11-20", to: "2027-01-05" };
    const policy = policyWith({ windows: [], blackouts: [freeze] });
    expect(dueAt(settled, policy).toISOString()).toBe("2026-11-19T04:53:00.000Z");
    expect(at("2026-11-19T05:00:00Z", policy).action).toBe("ROTATE");
  });

  it("does not rotate again in the opening in which it was made", () => {
    const only: Blackout = { kind: "days", from: "2026-09-12", to: "2027-06-01" };
    const policy = policyWith({ windows: [], blackouts: [only] });
    const again = decideAt("2026-09-11T20:00:00Z", policy, settled).state;
    const settledAgain = { ...again, revoked: true };
    expect(decideAt("2026-09-12T03:00:00Z", policy, settledAgain).action).toBeUndefined();
  });

  it("warns of a pause that is over", () => {
    const policy = policyWith({ paused: { until: Date.parse("2026-12-01T05:00:00Z"), reason: "audit" } });
    expect(pauseOver("a/b", policy, new Date("2026-12-02"))).toContain("ended at 2026-12-01 00:00 EST (audit)");
    expect(pauseOver("a/b", policy, new Date("2026-11-30"))).toBeUndefined();
  });
});

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
