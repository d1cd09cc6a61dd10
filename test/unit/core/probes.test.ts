import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Availability, type Ending, ProbeTally, probesIn, probeWords } from "../../../core/probes";
import { fieldsFrom, rendered } from "../../../core/template";

const T0 = Date.parse("2026-11-23T02:00:00Z");
const NONE = { ways: ["signal on trading-1 over primary"], unavailable: {} };

const tried = (way: string, began: number, took: number, ending: Ending, credential = 1, mayRefuse = false) => ({
  ...{ way, credential, began: T0 + began, ended: T0 + began + took, ending, mayRefuse, words: "cut" },
});

describe("what probes count", () => {
  it("is exact for any logins: those that fail, those of the known window, and those that say nothing", () => {
    const ending = fc.constantFrom<Ending>("works", "refused", "failed", "unseen");
    const login = fc.record({ ending, way: fc.constantFrom("a", "b"), credential: fc.nat(1), mayRefuse: fc.boolean() });
    fc.assert(
      fc.property(fc.array(login), (logins) => {
        const tally = new ProbeTally(T0);
        for (const [at, login] of logins.entries())
          tally.note({ ...login, began: T0 + at * 10, ended: T0 + at * 10 + 5, words: "" });
        const figures = tally.figures(T0 + 60_000, NONE);
        const count = (is: (login: (typeof logins)[number]) => boolean) => logins.filter(is).length;
        const isExpected = (one: (typeof logins)[number]) => one.ending === "refused" && one.mayRefuse;
        expect(figures.logins).toEqual({
          tried: count((one) => one.ending !== "unseen"),
          failed: count((one) => one.ending === "failed" || (one.ending === "refused" && !isExpected(one))),
        });
        expect(figures.exposure?.refused ?? 0).toBe(count(isExpected));
        expect(figures.unseen ?? 0).toBe(count((one) => one.ending === "unseen"));
      }),
    );
  });

  it("has as the longest gap what a client that keeps trying would have waited on one way", () => {
    const tally = new ProbeTally(T0);
    tally.note(tried("a", 0, 40, "works"));
    expect(tally.figures(T0 + 100, NONE).longestGapMs).toBe(40);
    tally.note(tried("a", 200, 5, "failed"));
    tally.note(tried("b", 300, 10, "works"));
    tally.note(tried("a", 400, 5, "failed"));
    tally.note(tried("a", 600, 30, "works"));
    expect(tally.figures(T0 + 1000, NONE)).toMatchObject({ longestGapMs: 430, logins: { tried: 5, failed: 2 } });
  });

  it("counts a gap that has not ended, until the end", () => {
    const tally = new ProbeTally(T0);
    tally.note(tried("a", 500, 5, "failed"));
    expect(tally.figures(T0 + 2500, NONE).longestGapMs).toBe(2000);
  });

  it("names the first failures, and is a sentence in reports", () => {
    const tally = new ProbeTally(T0);
    tally.note(tried("a", 0, 12, "works"));
    for (const at of [100, 200, 300, 400]) tally.note(tried("a", at, 1, "failed"));
    tally.note(tried("a", 500, 20, "works"));
    tally.note(tried("a", 600, 1, "refused", 0, true));
    const figures = tally.figures(T0 + 5600, { ways: ["a"], unavailable: { api: 1240, signal: 0 } });
    expect(figures.failures).toHaveLength(3);
    expect(figures.unavailable).toEqual({ seconds: 1.2, services: { api: 1.2 } });
    expect(probeWords(figures)).toBe(
      "4 of 7 logins failed, longest gap 420 ms, services unavailable 1.2 s, 1 refused in the known window",
    );
    expect(probesIn({ probes: figures })).toBe(probeWords(figures));
    expect(probesIn({ probes: { logins: 1 } })).toBeUndefined();
    expect(probesIn(null)).toBeUndefined();
  });

  it("writes large numbers as people do", () => {
    const figures = { ...new ProbeTally(T0).figures(T0, NONE), logins: { tried: 12_345, failed: 0 }, longestGapMs: 40 };
    expect(probeWords(figures)).toBe("0 of 12,345 logins failed, longest gap 40 ms, services unavailable 0.0 s");
  });
});

describe("a service's availability", () => {
  it("ends only while none of its places is healthy", () => {
    const seen = new Availability();
    seen.note("api", "a", true, 0);
    seen.note("api", "b", true, 0);
    seen.note("api", "a", false, 1000);
    seen.note("api", "b", false, 2000);
    seen.note("api", "a", true, 3500);
    seen.note("api", "b", true, 4000);
    expect(seen.of(["api"], 9000)).toEqual({ api: 1500 });
  });

  it("of a service that stays down counts until now", () => {
    const seen = new Availability();
    seen.note("api", "a", false, 1000);
    expect(seen.of(["api", "unknown"], 3000)).toEqual({ api: 2000, unknown: 0 });
  });
});

describe("the fields of a text that a template has made", () => {
  const value = fc.string({ minLength: 1, maxLength: 30, unit: "grapheme-ascii" });
  it.each([
    "{password}",
    "postgresql://{username}:{password}@db:5432/trader",
    "user={username} password={password}",
    '{{"user":"{username|json}","password":"{password|json}"}}',
  ])("are those of %s", (template) => {
    fc.assert(
      fc.property(value, value, (username, password) => {
        fc.pre(!template.startsWith("user=") || ![username, password].some((text) => /['\\]/.test(text)));
        const found = fieldsFrom(template, String(rendered(template, { username, password })));
        for (const [field, text] of Object.entries(found ?? { none: "" }))
          expect(text).toBe({ username, password }[field]);
      }),
    );
  });

  it("are none for a text of another template", () => {
    expect(fieldsFrom("postgresql://{username}:{password}@db", "mysql://a:b@db")).toBeUndefined();
    expect(fieldsFrom(5432, "5432")).toBeUndefined();
  });
});

describe("the figures of probes", () => {
  it("have the seconds from the first refusal of the known window to the end", () => {
    const tally = new ProbeTally(T0);
    for (const at of [1000, 3000]) tally.note(tried("a", at, 1, "refused", 0, true));
    expect(tally.figures(T0 + 6000, NONE).exposure).toEqual({ refused: 2, seconds: 5 });
  });

  it("have only what there is to say", () => {
    const none = new ProbeTally(T0).figures(T0, { ways: [], unavailable: {} });
    for (const key of ["exposure", "unseen", "skipped", "failures", "full"]) expect(none).not.toHaveProperty(key);
    const figures = new ProbeTally(T0).figures(T0, { ...NONE, skipped: ["b on c"], full: "probe.limit" as never });
    expect(figures).toMatchObject({ skipped: ["b on c"], full: "probe.limit" });
    expect(probeWords({ ...figures, unseen: 1200 })).toMatch(/, 1,200 could not be tried, probe.limit was reached$/);
  });

  it("name a long gap in seconds", () => {
    const of = (longestGapMs: number) => probeWords({ ...new ProbeTally(T0).figures(T0, NONE), longestGapMs });
    expect(of(9999)).toContain("longest gap 9999 ms,");
    expect(of(10_000)).toContain("longest gap 10 s,");
  });

  it("count what was tried until now", () => {
    const tally = new ProbeTally(T0);
    expect(tally.counts).toEqual({ tried: 0, failed: 0 });
    tally.note(tried("a", 0, 1, "failed"));
    tally.note({ way: "a", credential: 1, began: T0, ended: T0 + 1, ending: "failed", mayRefuse: false });
    tally.note(tried("a", 0, 1, "unseen"));
    expect(tally.counts).toEqual({ tried: 2, failed: 2 });
    expect(tally.figures(T0, NONE).failures?.map(({ words }) => words)).toEqual(["cut", ""]);
  });

  it("of any answers of a service's places are the time in which none was healthy", () => {
    const answer = fc.record({ place: fc.constantFrom("a", "b", "c"), healthy: fc.boolean() });
    fc.assert(
      fc.property(fc.array(answer), (answers) => {
        const seen = new Availability();
        const places = new Map<string, boolean>();
        let [down, isDown] = [0, false];
        for (const [at, { place, healthy }] of answers.entries()) {
          if (isDown) down += 10;
          seen.note("api", place, healthy, at * 10);
          places.set(place, healthy);
          isDown = ![...places.values()].includes(true);
        }
        if (isDown) down += 10;
        expect(seen.of(["api"], answers.length * 10)).toEqual({ api: down });
      }),
    );
  });
});
