import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dueAt } from "../../../core/deadlines";
import { nextState } from "../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import { at, inputs, rotate } from "./update-inputs";

describe("nextState, the calendar", () => {
  const first = nextState(undefined, inputs(0));

  it("adopts the credential in use as generation 0 and rotates away from it in the first update", () => {
    expect(first).toMatchObject({
      slots: [0, 1],
      active: 1,
      revoked: false,
      step: { sequence: 1, action: "ADOPT", generation: 1 },
    });
  });

  it("is due at maxAge - lead and not a moment before", () => {
    const due = dueAt(first, policy);
    expect(due).toEqual(at(89));
    expect(nextState(first, { ...inputs(0), now: new Date(due.getTime() - 1) }).slots).toEqual([0, 1]);
    expect(nextState(first, { ...inputs(0), now: due })).toMatchObject({
      slots: [2, 1],
      active: 0,
      step: { action: "ROTATE", reason: "due by age" },
    });
  });

  it("with daily updates, no secret ever passes its maximum age", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.integer({ min: 100, max: 800 }),
        (offset, length) => {
          let state = first;
          for (let day = 0; day <= length; day++) {
            const now = at(day + offset);
            expect(now.getTime() - Date.parse(state.rotatedAt)).toBeLessThanOrEqual(policy.maxAge);
            state = nextState(state, { ...inputs(0), now });
          }
          expect(Math.max(...state.slots)).toBeGreaterThan(1);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("after ten idle years rotates once, not forty times", () => {
    const after = nextState(nextState(first, inputs(3)), inputs(3653));
    expect(after.slots).toEqual([2, 1]);
    expect(nextState(after, inputs(3653))).toBe(after);
  });

  it("does nothing when the clock jumps back", () => {
    const rotated = nextState(first, inputs(89));
    expect(nextState(rotated, inputs(10))).toBe(rotated);
  });
});

describe("nextState, an emergency", () => {
  const first = nextState(undefined, inputs(0));
  const request = { ...rotate("leak"), emergency: true as const };

  it("ends the leaked credential with the rotation, without a grace period", () => {
    const rotated = nextState(first, inputs(5, { request }));
    expect(rotated).toMatchObject({
      slots: [2, 1],
      active: 0,
      revoked: true,
      emergency: true,
      step: { action: "ROTATE" },
    });
    expect(nextState(rotated, inputs(7, { request }))).toBe(rotated);
  });

  it("leaves a supplied key to the operator, and is over with the next rotation", () => {
    const supplied = nextState(undefined, inputs(0, { suppliedKeyLabel: "a" }));
    const rotated = nextState(supplied, inputs(1, { suppliedKeyLabel: "b", request }));
    expect(rotated).toMatchObject({ revoked: false, emergency: true });
    expect(nextState(rotated, inputs(2, { suppliedKeyLabel: "c", request }))).not.toHaveProperty("emergency");
  });
});
