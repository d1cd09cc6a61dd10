import { describe, expect, it } from "vitest";
import { dueAt } from "../../../core/deadlines";
import { nextState } from "../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import { activation, previousGeneration } from "../../../core/state";
import { activate, at, inputs } from "./update-inputs";

describe("nextState, rollbacks", () => {
  const first = nextState(undefined, inputs(0));
  const rotated = nextState(first, inputs(89));

  it("means the same after an update that died half-way as after one that finished", () => {
    const request = activate("leak", 1);
    const finished = nextState(rotated, inputs(89.1, { request }));
    const halfWay = nextState(first, inputs(89.1, { request }));
    expect(halfWay.slots).toEqual(finished.slots);
    expect(halfWay.active).toBe(finished.active);
    expect(activation(halfWay)).toBe(activation(finished));
    // Generation 2 is spent, so the next one is 3 either way.
    expect(Math.max(...nextState(halfWay, inputs(200, { request })).slots)).toBe(3);
  });

  it("returns to the adopted credential after the first update, finished or not", () => {
    const request = activate("back", 0);
    for (const before of [first, undefined]) {
      expect(nextState(before, inputs(0.1, { request }))).toMatchObject({
        slots: [0, 1],
        active: 0,
        step: { action: "ROLLBACK", generation: 0 },
      });
    }
  });

  it("rotates away from an adopted credential as soon as retryAfter is over, for nobody knows its age", () => {
    const back = nextState(first, inputs(0.5, { request: activate("back", 0) }));
    expect(nextState(back, inputs(1.4))).toBe(back);
    expect(nextState(back, inputs(1.5))).toMatchObject({ slots: [0, 2], active: 1 });
  });

  it("gives a revoked credential back by a rollback", () => {
    const ended = nextState(nextState(first, inputs(89)), inputs(90));
    const back = nextState(ended, inputs(90.1, { request: activate("back", 1) }));
    expect(back).toMatchObject({ active: 1, revoked: false, step: { action: "ROLLBACK", generation: 1 } });
    expect(previousGeneration(back)).toBe(2);
  });

  it("counts the age of a credential that was rolled back to from its own beginning", () => {
    const back = nextState(rotated, inputs(89.5, { request: activate("back", 1) }));
    expect(back.rotatedAt).toBe(first.rotatedAt);
    expect(dueAt(back, policy)).toEqual(at(90.5));
    expect(nextState(back, inputs(90.5, { request: activate("back", 1) })).slots).toEqual(
      [3, 1].map((g, i) => (i === 0 ? 3 : g)),
    );
  });

  it.each([
    [
      "a generation that is gone",
      rotated,
      activate("x", 0),
      /no generation 0 in its slots; available: 1 \(active now: 2\)/,
    ],
    ["one that never was", rotated, activate("x", 7), /no generation 7/],
  ])("refuses %s with the list of available ones", (_, state, request, message) => {
    expect(() => nextState(state, inputs(89.1, { request }))).toThrow(message);
  });

  it("refuses generation 0 if its value was never given", () => {
    const refused = () => nextState(first, inputs(1, { request: activate("x", 0), hasAdopted: false }));
    expect(refused).toThrow(/nothing to roll back to.*adopted/);
  });
});
