import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { graceEndsAt, graceLimitAt } from "../../../core/deadlines";
import type { Duration } from "../../../core/duration";
import { nextState } from "../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import { activation } from "../../../core/state";
import { activate, at, DAY, inputs, rotate } from "./update-inputs";

describe("nextState, the end of the grace period", () => {
  const first = nextState(undefined, inputs(0));

  it("ends the previous credential once, when the grace period is over", () => {
    const rotated = nextState(first, inputs(89));
    expect(graceEndsAt(rotated, policy)).toEqual(at(90));
    expect(nextState(rotated, inputs(89.99))).toBe(rotated);
    const ended = nextState(rotated, inputs(90));
    expect(ended).toMatchObject({
      revoked: true,
      slots: rotated.slots,
      active: rotated.active,
      rotatedAt: rotated.rotatedAt,
    });
    expect(ended.step).toMatchObject({ action: "REVOKE", generation: 1 });
    expect(activation(ended)).toBe(activation(rotated));
    expect(nextState(ended, inputs(91))).toBe(ended);
  });
});

describe("nextState, a login that is still in use when its grace period is over", () => {
  const rotated = nextState(nextState(undefined, inputs(0)), inputs(89));
  const previousInUse = "nightly-reconcile from 10.0.0.7";

  it("waits, and is revoked by the first update that finds it unused", () => {
    expect(nextState(rotated, inputs(90, { previousInUse }))).toBe(rotated);
    expect(nextState(rotated, inputs(95.99, { previousInUse }))).toBe(rotated);
    expect(nextState(rotated, inputs(92, { previousInUse: "" })).step).toMatchObject({
      action: "REVOKE",
      reason: "grace period over",
    });
  });

  it("is revoked at gracePeriodMax in any case, and the reason names who was left", () => {
    expect(graceLimitAt(rotated, policy)).toEqual(at(96));
    expect(nextState(rotated, inputs(96, { previousInUse })).step).toMatchObject({
      action: "REVOKE",
      generation: 1,
      reason: `gracePeriodMax over; still in use by ${previousInUse}`,
    });
  });

  it("never waits less than the grace period, whatever gracePeriodMax says, and never without an end", () => {
    const days = fc.integer({ min: 0, max: 30 });
    fc.assert(
      fc.property(days, days, days, fc.constantFrom("", previousInUse), (grace, most, day, inUse) => {
        const own = { ...policy, gracePeriod: (grace * DAY) as Duration, gracePeriodMax: (most * DAY) as Duration };
        const after = nextState(rotated, inputs(89 + day, { policy: own, previousInUse: inUse }));
        expect(after.revoked).toBe(day >= (inUse === "" ? grace : Math.max(grace, most)));
      }),
    );
  });

  it("has its way without a word if the login leaked: an emergency waits for nobody", () => {
    const request = { ...rotate("leak"), emergency: true as const };
    expect(nextState(rotated, inputs(89.5, { request, previousInUse }))).toMatchObject({ revoked: true });
  });
});

describe("nextState, a leaked credential", () => {
  it("has no grace period, in the very first update neither", () => {
    const request = { ...rotate("leak"), emergency: true as const };
    expect(nextState(undefined, inputs(0, { request }))).toMatchObject({
      slots: [0, 1],
      active: 1,
      emergency: true,
      revoked: true,
      handledRequest: "leak",
    });
    const key = { suppliedKeyLabel: "paper-2026-11-23" };
    expect(nextState(undefined, inputs(0, { request, ...key }))).not.toHaveProperty("emergency");
  });
});

describe("nextState, a password whose change ends the one before", () => {
  it("has no grace period, and so no end of it: not after a rotation, not after a rollback", () => {
    const single = { overlaps: false };
    const rotated = nextState(nextState(undefined, inputs(0, single)), inputs(89, single));
    expect(rotated).toMatchObject({ revoked: true, slots: [2, 1] });
    expect(nextState(rotated, inputs(95, single))).toBe(rotated);
    const back = nextState(rotated, inputs(96, { ...single, request: activate("back", 1) }));
    expect(back).toMatchObject({ revoked: true, active: 1 });
    expect(nextState(back, inputs(96.9, { ...single, request: activate("back", 1) }))).toBe(back);
  });
});
