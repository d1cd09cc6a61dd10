import { describe, expect, it } from "vitest";
import { graceEndsAt, nextState } from "../../rotation/next-state";
import { DEFAULT_POLICY as policy } from "../../rotation/policy";
import { activation } from "../../rotation/state";
import { activate, at, inputs } from "./update-inputs";

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
