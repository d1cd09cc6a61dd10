import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clockBehind, plannedOr, utc } from "../../../core/clock";
import type { SecretState } from "../../../core/state";

const AT = "2026-11-23T02:00:00.000Z";
const state = { step: { action: "ROTATE", at: AT } } as SecretState;
const later = (milliseconds: number) => new Date(Date.parse(AT) + milliseconds);

describe("clockBehind", () => {
  it("says how far the clock is behind the last step, and what to do", () => {
    expect(clockBehind("database/password", state, later(-3_600_000))).toBe(
      "database/password: this machine's clock says 2026-11-23T01:00:00.000Z, which is before the last step (ROTATE at " +
        "2026-11-23T02:00:00.000Z). Nothing becomes due before it has caught up (1h): correct it (`timedatectl`) and run this again.",
    );
  });

  it("is silent on time, and if two machines differ by minutes", () => {
    fc.assert(
      fc.property(fc.integer({ min: -300_000, max: 4e12 }), (milliseconds) => {
        expect(clockBehind("a/b", state, later(milliseconds))).toBeUndefined();
      }),
      { examples: [[-300_000]] },
    );
    expect(clockBehind("a/b", state, later(-300_001))).toContain("caught up (6m)");
  });
});

describe("plannedOr", () => {
  it("goes by the plan's moment, but by none of the future or of more than a day ago, and by no other text", () => {
    fc.assert(
      fc.property(fc.integer({ min: -2 * 86_400_000, max: 2 * 86_400_000 }), (milliseconds) => {
        const now = later(0);
        const planned = later(milliseconds);
        const counts = milliseconds <= 0 && milliseconds > -86_400_000;
        expect(plannedOr(now, planned.toISOString())).toEqual(counts ? planned : now);
      }),
      { examples: [[-86_400_000], [-86_399_999], [0]] },
    );
    for (const text of [undefined, "", "yesterday"]) expect(plannedOr(later(0), text)).toEqual(later(0));
  });
});

it("a time for people is to the minute, in UTC, of a date and of a text", () => {
  expect(utc("2026-11-23T09:05:59.999+01:00")).toBe("2026-11-23 08:05 UTC");
  expect(utc(new Date(AT))).toBe("2026-11-23 02:00 UTC");
});
