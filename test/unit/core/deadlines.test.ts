import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ageOf,
  dueAt,
  graceEndsAt,
  graceIsOver,
  graceLimitAt,
  oldEnded,
  standingByAge,
  urgencyOf,
} from "../../../core/deadlines";
import { type Duration, parseDuration } from "../../../core/duration";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import type { SecretState, Step } from "../../../core/state";
import { at, DAY } from "./update-inputs";

const time = (days: number) => at(days).toISOString();

/** A credential that was made at day 0, by a step of that day; the adopted one is in the other slot. */
function state(more: Partial<SecretState> = {}, step: Partial<Step> = {}): SecretState {
  return {
    slots: [0, 1],
    active: 1,
    rotatedAt: time(0),
    filledAt: [time(-10), time(0)],
    labels: [null, null],
    usedLabels: [],
    revoked: false,
    ...more,
    step: { sequence: 2, action: "ROTATE", generation: 1, reason: "due by age", at: time(0), ...step },
  };
}

const days = (count: number) => parseDuration(`${count}d`);

describe("urgencyOf", () => {
  it.each([
    [85 * DAY - 1, "ok"],
    [85 * DAY, "warning"],
    [88 * DAY - 1, "warning"],
    [88 * DAY, "alert"],
    [90 * DAY, "alert"],
    [90 * DAY + 1, "overdue"],
  ])("%i ms of 90 days: %s", (age, urgency) => {
    expect(urgencyOf(age, days(90))).toBe(urgency);
  });
});

describe("ageOf", () => {
  it("is that of a value that the stack made", () => {
    expect(ageOf(state())).toEqual({ known: true, since: at(0) });
    expect(ageOf(state({ adoptedGeneration: 2 }))).toEqual({ known: true, since: at(0) });
  });

  it("is what its label says of an adopted key, and unknown without a date there", () => {
    const adopted = { slots: [0, 1], active: 0 } as const;
    const known = (labels: SecretState["labels"]) => ageOf(state({ ...adopted, labels })).known;
    expect(known([null, null])).toBe(false);
    expect(known(["paper-trading", null])).toBe(false);
    expect(known(["paper-trading-2026-11-01", null])).toBe(true);
    expect(known([null, "paper-trading-2026-11-01"])).toBe(false);
  });

  it("of an unknown one counts from when it was seen first", () => {
    const step = { action: "ADOPT", at: time(5) } as const;
    expect(ageOf(state({ active: 0 }, step))).toEqual({ known: false, since: at(0) });
    expect(ageOf(state({ slots: [0, 2], adoptedGeneration: 2 }, step))).toEqual({ known: false, since: at(5) });
    const labels = [null, "live-2026-11-01"] as const;
    expect(ageOf(state({ slots: [0, 2], adoptedGeneration: 2, labels }, step))).toEqual({ known: true, since: at(0) });
  });
});

describe("dueAt", () => {
  it("is the lead before the maximum age", () => {
    expect(dueAt(state(), policy)).toEqual(at(89));
    expect(dueAt(state({ activatedBy: "leak-17" }, { action: "ROLLBACK", at: time(3) }), policy)).toEqual(at(89));
  });

  it("is at once after a rollback to the credential that the platform had before, but not while it is in use as such", () => {
    const step = { action: "ROLLBACK", generation: 0, at: time(3) } as const;
    expect(dueAt(state({ active: 0, activatedBy: "leak-17" }, step), policy).getTime()).toBe(0);
    expect(dueAt(state({ active: 0, activatedBy: "leak-17", notBefore: time(4) }, step), policy)).toEqual(at(4));
    expect(dueAt(state({ active: 0 }, { action: "ADOPT" }), policy)).toEqual(at(89));
  });

  it("waits for what a rollback ordered, and for no time that is over", () => {
    expect(dueAt(state({ notBefore: time(95) }), policy)).toEqual(at(95));
    expect(dueAt(state({ notBefore: time(10) }), policy)).toEqual(at(89));
  });

  it("waits for the grace period of a rotation and of an adoption that left a credential behind, and for no other", () => {
    const due = (step: Partial<Step>, more: Partial<SecretState> = {}) =>
      dueAt(state(more, { at: time(100), ...step }), policy);
    expect(due({ action: "ROTATE" })).toEqual(at(101));
    expect(due({ action: "ADOPT" })).toEqual(at(101));
    expect(due({ action: "ADOPT" }, { slots: [-1, 1] })).toEqual(at(89));
    expect(due({ action: "ROLLBACK" })).toEqual(at(89));
    expect(dueAt(state({}, { action: "REVOKE" }), { ...policy, gracePeriod: days(95) })).toEqual(at(89));
  });
});

describe("the grace period", () => {
  it("begins with the step that moved the services, also after the previous credential was ended", () => {
    expect(graceEndsAt(state({}, { at: time(5) }), policy)).toEqual(at(6));
    expect(graceEndsAt(state({}, { action: "ROLLBACK", at: time(5) }), policy)).toEqual(at(6));
    expect(graceEndsAt(state({ revoked: true }, { action: "REVOKE", at: time(5) }), policy)).toEqual(at(1));
  });

  it("has a limit, which is never before its end", () => {
    expect(graceLimitAt(state({}, { at: time(5) }), policy)).toEqual(at(12));
    expect(graceLimitAt(state(), { ...policy, gracePeriod: days(30) })).toEqual(at(30));
  });

  it("is over from its end on if there is a previous credential that still works", () => {
    const over = (more: Partial<SecretState>, now: number) => graceIsOver(state(more), policy, at(now));
    expect(over({}, 0.999)).toBe(false);
    expect(over({}, 1)).toBe(true);
    expect(over({ revoked: true }, 2)).toBe(false);
    expect(over({ slots: [-1, 1] }, 2)).toBe(false);
  });
});

describe("standingByAge", () => {
  it.each([
    [84.9, "ok"],
    [85, "warning"],
    [88.9, "alert"],
    [89, "due"],
    [90, "due"],
    [90.1, "overdue"],
  ])("%d days old: %s", (age, standing) => {
    expect(standingByAge(state(), policy, at(age))).toBe(standing);
  });

  it("is due when nobody knows the age, and overdue when even what is known is too long", () => {
    expect(standingByAge(state({ active: 0 }), policy, at(1))).toBe("due");
    expect(standingByAge(state({ active: 0 }), policy, at(91))).toBe("overdue");
  });

  it("never gets better by waiting", () => {
    const rank = ["ok", "warning", "alert", "due", "overdue"];
    const someDays = fc.double({ min: 0, max: 200, noNaN: true });
    fc.assert(
      fc.property(someDays, someDays, fc.integer({ min: 0, max: 10 }), (age, more, lead) => {
        const by = { ...policy, lead: (lead * DAY) as Duration };
        const [early, late] = [age, age + more].map((now) => rank.indexOf(standingByAge(state(), by, at(now))));
        expect(late).toBeGreaterThanOrEqual(early ?? -1);
      }),
    );
  });
});

describe("oldEnded", () => {
  const said = (works: boolean, revoked: boolean, now: number) =>
    oldEnded(works, "trader_a logged in", state({ revoked }), at(1), at(now));

  it("says what was seen of a credential that is refused, or that may still work", () => {
    expect(oldEnded(false, "28P01", state(), at(1), at(2))).toBe("refused: 28P01");
    expect(said(true, false, 0.999)).toBe("still valid, as intended, until 2026-11-24 02:00 UTC");
  });

  it("throws if it works although it was ended, or although its grace period is over", () => {
    expect(() => said(true, true, 0)).toThrow("it still works although it was ended: trader_a logged in");
    expect(() => said(true, false, 1)).toThrow(
      "its grace period ended at 2026-11-24 02:00 UTC and it still works; `rotation run` ends it",
    );
  });
});
