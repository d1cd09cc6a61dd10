import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  evidenceOf,
  heldBy,
  LOG_GAP,
  type Look,
  quietSince,
  seenWords,
  usersNow,
  WATCH_GAP,
  type Watch,
  watched,
} from "../../../core/disuse";
import { parseDuration } from "../../../core/duration";
import type { LoginUse } from "../../../core/login-use";
import { nextState } from "../../../core/next-state";
import { DEFAULT_POLICY } from "../../../core/policy";
import { simulate } from "../../../dev/prove/disuse/simulate";
import { at, inputs } from "./update-inputs";

const MINUTE = 60_000;
const START = Date.parse("2026-11-23T02:00:00Z");
const minute = (minutes: number) => new Date(START + minutes * MINUTE);

const job: LoginUse = { kind: "session", application: "nightly", client: "10.0.0.7", since: null };
const mapping: LoginUse = { kind: "mapping", server: "ledger", mappedFor: "report" };

/** Looks at these minutes. */
const looks = (...each: readonly (Partial<Look> & { readonly at: Date })[]): Watch =>
  each.reduce<Watch | undefined>((watch, look) => watched(watch, { uses: [], ...look }), undefined) as Watch;

const policy = { ...DEFAULT_POLICY, quietPeriod: parseDuration("1h") };
const held = (watch: Watch | undefined, now: Date, previousInUse = "") =>
  heldBy({ previousInUse, previousWatch: watch }, policy, now);

describe("a watch", () => {
  it("begins with its first look, which proves nothing yet", () => {
    const watch = looks({ at: minute(0) });
    expect(watch).toMatchObject({ from: minute(0).toISOString(), samples: 1, gaps: 0, lastUse: null, users: [] });
    expect(held(watch, minute(0))).toMatch(/^unknown \(watched without a gap only since 2026-11-23 02:00 UTC/);
  });

  it("names who was seen, from when to when, and who uses it now", () => {
    const watch = looks({ at: minute(0), uses: [mapping, job] }, { at: minute(5), uses: [mapping] });
    expect(watch.users).toEqual([
      {
        user: "the user mapping of report for the foreign server ledger",
        firstSeen: minute(0).toISOString(),
        lastSeen: minute(5).toISOString(),
      },
      { user: "nightly from 10.0.0.7", firstSeen: minute(0).toISOString(), lastSeen: minute(0).toISOString() },
    ]);
    expect(usersNow(watch)).toEqual([watch.users[0]]);
    expect(usersNow(looks({ at: minute(0), uses: [job] }, { at: minute(1) }))).toEqual([]);
    expect(evidenceOf(watch)).toMatchObject({
      samples: 2,
      lastUse: minute(5).toISOString(),
      lastUsers: [watch.users[0]?.user],
    });
  });

  it("takes the start of a session as the time from which on it was used", () => {
    const since = minute(-60).toISOString();
    expect(looks({ at: minute(0), uses: [{ ...job, since }] }).users[0]?.firstSeen).toBe(since);
  });

  it("keeps the fifty users that were seen last, and the last use in any case", () => {
    const uses = Array.from({ length: 80 }, (_, index): LoginUse => ({ ...job, application: `client-${index}` }));
    const watch = looks({ at: minute(0), uses }, { at: minute(1), uses: [job] });
    expect(watch.users).toHaveLength(50);
    expect(watch.users[0]?.user).toBe("nightly from 10.0.0.7");
    expect(watch.lastUse).toBe(minute(1).toISOString());
  });

  it("begins anew after a gap: what nobody watched is not quiet", () => {
    const before = looks({ at: minute(0) }, { at: minute(10) });
    const longest = minute(10 + WATCH_GAP / MINUTE);
    expect(watched(before, { at: longest, uses: [] })).toMatchObject({
      gaps: 0,
      unbrokenSince: minute(0).toISOString(),
    });
    const late = new Date(longest.getTime() + 1);
    expect(watched(before, { at: late, uses: [] })).toMatchObject({ gaps: 1, unbrokenSince: late.toISOString() });
  });

  it("has no gap for a day if the server's log names every login of it, unless there are logins elsewhere", () => {
    const before = looks({ at: minute(0) });
    const next = new Date(START + LOG_GAP);
    expect(watched(before, { at: next, uses: [], log: "whole" }).gaps).toBe(0);
    expect(watched(before, { at: next, uses: [], log: "whole", elsewhere: true }).gaps).toBe(1);
    expect(watched(before, { at: new Date(START + LOG_GAP + 1), uses: [], log: "whole" }).gaps).toBe(1);
  });

  it("has a gap if the log has a hole, however short", () => {
    expect(looks({ at: minute(0) }, { at: minute(1), log: "broken" })).toMatchObject({
      gaps: 1,
      unbrokenSince: minute(1).toISOString(),
    });
  });

  it("does not take a late look of another watcher for a gap, but a clock that was set back", () => {
    const before = looks({ at: minute(0) }, { at: minute(10) });
    expect(watched(before, { at: minute(9), uses: [job] })).toMatchObject({
      gaps: 0,
      to: minute(10).toISOString(),
      lastUse: minute(9).toISOString(),
    });
    expect(watched(before, { at: minute(-60), uses: [] })).toMatchObject({ gaps: 1, to: minute(-60).toISOString() });
  });
});

describe("what keeps a login whose grace period is over", () => {
  const quiet = looks(...Array.from({ length: 13 }, (_, index) => ({ at: minute(index * 5) })));

  it("is nothing once it was watched and unused for policy.quietPeriod", () => {
    expect(held(quiet, minute(60))).toBe("");
    const used = looks(
      { at: minute(0), uses: [job] },
      ...Array.from({ length: 11 }, (_, i) => ({ at: minute(5 + i * 5) })),
    );
    expect(held(used, minute(55))).toBe(
      "nightly from 10.0.0.7, last seen 2026-11-23 02:00 UTC (policy.quietPeriod is 1h)",
    );
    expect(held(watched(used, { at: minute(60), uses: [] }), minute(60))).toBe("");
  });

  it("is the time that nobody watched, up to now", () => {
    expect(held(undefined, minute(60))).toMatch(/^unknown \(nobody watched it/);
    expect(held(quiet, minute(75))).toBe("");
    expect(held(quiet, minute(76))).toBe("unknown (nobody has watched it since 2026-11-23 03:00 UTC)");
    expect(held(quiet, minute(30))).toMatch(/^unknown \(nobody has watched it since/);
  });

  it("is who uses it now, whatever was seen before", () => {
    expect(held(quiet, minute(60), "late from 10.0.0.9")).toBe("late from 10.0.0.9");
  });

  it("is what the server says in this moment alone without policy.quietPeriod, and nothing for what was not asked", () => {
    expect(heldBy({ previousInUse: "" }, DEFAULT_POLICY, minute(0))).toBe("");
    expect(heldBy({}, policy, minute(0))).toBe("");
  });

  it("is never nothing unless the last look, and every moment for policy.quietPeriod before it, were watched and unused", () => {
    const gaps = fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.boolean()), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 0, max: 30 }), (each, after) => {
        let time = 0;
        const all = each.map(([gap, isUsed]) => {
          time += gap;
          return { time, isUsed };
        });
        const watch = looks(...all.map((one) => ({ at: minute(one.time), uses: one.isUsed ? [job] : [] })));
        // Straight from the rule: go back from the last look as long as it is unused and without a gap.
        let since = time;
        for (const one of all.toReversed()) {
          if (since - one.time > 15) break;
          since = one.time;
          if (one.isUsed) break;
        }
        expect(Date.parse(quietSince(watch))).toBe(minute(since).getTime());
        expect(held(watch, minute(time + after)) === "").toBe(after <= 15 && time - since >= 60);
      }),
    );
  });
});

describe("nextState with policy.quietPeriod", () => {
  const own = { ...DEFAULT_POLICY, quietPeriod: parseDuration("48h") };
  const rotated = nextState(nextState(undefined, inputs(0)), inputs(89));
  const unused = (from: number, to: number): Watch =>
    looks(...Array.from({ length: Math.round((to - from) * 144) + 1 }, (_, i) => ({ at: at(from + i / 144) })));

  it("revokes a login that was unused for it, and says since when", () => {
    const asked = { policy: own, previousInUse: "" };
    const decided = (day: number, from: number) =>
      nextState(rotated, inputs(day, { ...asked, previousWatch: unused(from, day) }));
    expect(decided(90, 89)).toBe(rotated);
    expect(decided(91, 89).step).toMatchObject({
      action: "REVOKE",
      reason: "unused since 2027-02-20 02:00 UTC, watched without a gap (policy.quietPeriod 2d)",
    });
    expect(nextState(rotated, inputs(95, asked))).toBe(rotated);
  });

  it("revokes it at the limit in any case, and says that nothing was proven", () => {
    expect(nextState(rotated, inputs(96, { policy: own, previousInUse: "" })).step).toMatchObject({
      action: "REVOKE",
      reason: "gracePeriodMax over; still in use by unknown (nobody watched it: no `rotation watch` has run)",
    });
  });
});

describe("simulated rotations with hidden consumers", () => {
  const results = (count: number, log: boolean, shortJobs = log) =>
    Array.from({ length: count }, (_, seed) => simulate(seed, { log, shortJobs, longPauses: false }));
  const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);

  it.each([false, true])(
    "no login fails before the limit, none works after it (log: %s)",
    { timeout: 60_000 },
    (log) => {
      const all = results(40, log);
      expect(sum(all.map(({ failed }) => failed.quiet))).toBe(0);
      expect(sum(all.map(({ failed }) => failed.time))).toBeGreaterThan(100);
      // A run comes every hour.
      for (const { revoked, limit } of all) expect(revoked).toBeLessThanOrEqual(limit + 3_600_000);
      expect(all.filter(({ early }) => early).length).toBeGreaterThan(5);
    },
  );

  it("what samples cannot see is not seen: short logins without the log fail", { timeout: 60_000 }, () => {
    expect(sum(results(40, false, true).map(({ failed }) => failed.quiet))).toBeGreaterThan(0);
  });
});

describe("who kept a login in use", () => {
  const server: LoginUse = { ...job, application: "report", client: "10.0.0.8" } as LoginUse;

  it("are those of the last look with a use, all of them, and nobody of before", () => {
    const watch = looks({ at: minute(0), uses: [mapping] }, { at: minute(5), uses: [server, job] }, { at: minute(10) });
    expect(held(watch, minute(10))).toBe(
      "nightly from 10.0.0.7; report from 10.0.0.8, last seen 2026-11-23 02:05 UTC (policy.quietPeriod is 1h)",
    );
    expect(usersNow(watch)).toEqual([]);
  });

  it("keep the moment of their last use while later looks see others", () => {
    const watch = looks({ at: minute(0), uses: [job] }, { at: minute(5), uses: [job] }, { at: minute(3), uses: [job] });
    expect(watch.users).toMatchObject([{ firstSeen: minute(0).toISOString(), lastSeen: minute(5).toISOString() }]);
    expect(watch.lastUse).toBe(minute(5).toISOString());
  });

  it("is nobody until the last look: what comes after it is no evidence", () => {
    const hour = Array.from({ length: 30 }, (_, index) => ({ at: minute(index * 2) }));
    expect(held(looks(...hour), minute(61))).toMatch(/^unknown \(watched without a gap only since/);
    expect(held(looks(...hour, { at: minute(60) }), minute(61))).toBe("");
  });

  it("are there since their session began, and in words for people", () => {
    const began = { ...job, since: minute(-30).toISOString() } as LoginUse;
    const [seen] = looks({ at: minute(0), uses: [began] }).users;
    expect(seenWords(seen as never)).toBe(
      "nightly from 10.0.0.7, since 2026-11-23 01:30 UTC, last seen 2026-11-23 02:00 UTC",
    );
  });
});
