import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dueAt, graceEndsAt, type Inputs, nextState } from "../../rotation/next-state";
import { DEFAULT_POLICY as policy } from "../../rotation/policy";
import { type Request, RequestRefusedError } from "../../rotation/request";
import { activation, activeGeneration, EMPTY, other, previousGeneration, type SecretState } from "../../rotation/state";

const DAY = 86_400_000;
const START = Date.parse("2026-11-23T02:00:00Z");
const at = (days: number) => new Date(START + days * DAY);
const inputs = (days: number, more: Partial<Inputs> = {}): Inputs => ({
  now: at(days),
  policy,
  hasAdopted: true,
  ...more,
});
const rotate = (id: string): Request => ({ id, secret: "database/password", rotate: true, reason: "test" });
const activate = (id: string, generation: number): Request => ({
  id,
  secret: "database/password",
  activate: generation,
  reason: "test",
});

/** What can happen to a stack between two updates, and in one. */
type Event =
  | { kind: "update"; days: number; crashes: boolean }
  | { kind: "rotate"; days: number; crashes: boolean }
  | { kind: "activate"; days: number; offset: number; crashes: boolean };

const days = fc.oneof(
  fc.double({ min: 0, max: 3, noNaN: true }),
  fc.integer({ min: 80, max: 100 }),
  fc.integer({ min: 365, max: 4000 }),
);
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constant("update" as const), days, crashes: fc.boolean() }),
  fc.record({ kind: fc.constant("rotate" as const), days, crashes: fc.boolean() }),
  fc.record({
    kind: fc.constant("activate" as const),
    days,
    offset: fc.integer({ min: 0, max: 3 }),
    crashes: fc.boolean(),
  }),
);

/** Plays a history; `each` sees every update that was not refused, whether its outputs were saved or it crashed. */
function play(
  events: Event[],
  each: (before: SecretState | undefined, after: SecretState, given: Inputs, crashed: boolean) => void,
) {
  let state: SecretState | undefined;
  let now = 0;
  let request: Request | undefined;
  events.forEach((happened, index) => {
    now += happened.days;
    if (happened.kind === "rotate") request = rotate(`r${index}`);
    if (happened.kind === "activate")
      request = activate(`a${index}`, Math.max(0, (state ? Math.max(...state.slots) : 0) - happened.offset));
    const given = inputs(now, { request });
    let after: SecretState;
    try {
      after = nextState(state, given);
    } catch (error) {
      expect(error).toBeInstanceOf(RequestRefusedError);
      request = undefined;
      return;
    }
    each(state, after, given, happened.crashes);
    if (!happened.crashes) state = after;
  });
}

const histories = fc.array(event, { minLength: 1, maxLength: 60 });

describe("nextState, over long random histories", () => {
  it("fills at most one slot an update, with max(slots) + 1, and never the active one", () => {
    fc.assert(
      fc.property(histories, (events) => {
        play(events, (before, after) => {
          if (before === undefined) return;
          const changed = ([0, 1] as const).filter((slot) => before.slots[slot] !== after.slots[slot]);
          expect(changed.length).toBeLessThanOrEqual(1);
          for (const slot of changed) {
            expect(slot).toBe(other(before.active));
            expect(after.slots[slot]).toBe(Math.max(...before.slots) + 1);
          }
        });
      }),
      { numRuns: 500 },
    );
  });

  it("takes at most one step, and a step moves the activation unless it revokes", () => {
    fc.assert(
      fc.property(histories, (events) => {
        play(events, (before, after) => {
          if (before === undefined) return;
          const steps = after.step.sequence - before.step.sequence;
          expect([0, 1]).toContain(steps);
          if (steps === 0) expect(after).toEqual(before);
          const moves = steps === 1 && after.step.action !== "REVOKE";
          expect(activation(after) !== activation(before)).toBe(moves);
        });
      }),
      { numRuns: 500 },
    );
  });

  it("computes the very same slots again after a crash, however much later the next run is", () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 0, max: 400 }), (events, later) => {
        play(events, (before, after, given) => {
          // A rotation by age, once due, stays due; a request stays in the config.
          if (after.step.action === "REVOKE") return;
          const again = nextState(before, { ...given, now: new Date(given.now.getTime() + later * DAY) });
          if (before !== undefined && before.step.sequence === after.step.sequence) return;
          expect(again.slots).toEqual(after.slots);
          expect(again.active).toBe(after.active);
          expect(activation(again)).toBe(activation(after));
          expect(again.step.sequence).toBe(after.step.sequence);
        });
      }),
      { numRuns: 500 },
    );
  });

  it("lets a request act exactly once", () => {
    fc.assert(
      fc.property(histories, (events) => {
        play(events, (_, after, given) => {
          if (given.request === undefined) return;
          expect(after.handledRequest).toBe(given.request.id);
          const again = nextState(after, given);
          expect(again.handledRequest).toBe(given.request.id);
          expect(again.activatedBy).toBe(after.activatedBy);
          expect(again).toEqual(after);
        });
      }),
      { numRuns: 500 },
    );
  });

  it("never rotates in the update after a rollback, and not before retryAfter", () => {
    fc.assert(
      fc.property(histories, fc.double({ min: 0, max: 0.99, noNaN: true }), (events, part) => {
        play(events, (before, after, given) => {
          if (after.step.action !== "ROLLBACK" || before?.step.sequence === after.step.sequence) return;
          const soon = new Date(given.now.getTime() + policy.retryAfter * part);
          expect(nextState(after, { ...given, now: soon }).slots).toEqual(after.slots);
          expect(dueAt(after, policy).getTime()).toBeGreaterThanOrEqual(given.now.getTime() + policy.retryAfter);
        });
      }),
      { numRuns: 500 },
    );
  });

  it("never gives one generation to two slots, and never counts down", () => {
    fc.assert(
      fc.property(histories, (events) => {
        play(events, (before, after) => {
          expect(after.slots[0]).not.toBe(after.slots[1]);
          if (before !== undefined) expect(Math.max(...after.slots)).toBeGreaterThanOrEqual(Math.max(...before.slots));
        });
      }),
      { numRuns: 500 },
    );
  });
});

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

  it("gives a revoked credential back by a rollback", () => {
    const ended = nextState(nextState(first, inputs(89)), inputs(90));
    const back = nextState(ended, inputs(90.1, { request: activate("back", 1) }));
    expect(back).toMatchObject({ active: 1, revoked: false, step: { action: "ROLLBACK", generation: 1 } });
    expect(previousGeneration(back)).toBe(2);
  });

  it("counts the age of a credential that was rolled back to from its own beginning", () => {
    const rotated = nextState(first, inputs(89));
    const back = nextState(rotated, inputs(89.5, { request: activate("back", 1) }));
    expect(back.rotatedAt).toBe(first.rotatedAt);
    expect(dueAt(back, policy)).toEqual(at(90.5));
    expect(nextState(back, inputs(90.5, { request: activate("back", 1) })).slots).toEqual(
      [3, 1].map((g, i) => (i === 0 ? 3 : g)),
    );
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

  it.each([
    [
      "a generation that is gone",
      rotated,
      activate("x", 0),
      /no generation 0 in its slots; those that can be had: 1 \(active now: 2\)/,
    ],
    ["one that never was", rotated, activate("x", 7), /no generation 7/],
  ])("refuses %s with the list of those that can be had", (_, state, request, message) => {
    expect(() => nextState(state, inputs(89.1, { request }))).toThrow(message);
  });

  it("refuses generation 0 where its value was never given", () => {
    const refused = () => nextState(first, inputs(1, { request: activate("x", 0), hasAdopted: false }));
    expect(refused).toThrow(/nothing to roll back to.*adopted/);
  });
});

describe("nextState, supplied keys", () => {
  const first = nextState(undefined, inputs(0, { suppliedKeyLabel: "paper-2026-11-23" }));

  it("adopts the only key there is without a rotation", () => {
    expect(first).toMatchObject({ slots: [0, EMPTY], active: 0, labels: ["paper-2026-11-23", null] });
    expect(previousGeneration(first)).toBeUndefined();
  });

  it("advances by a new label alone, never by age", () => {
    expect(nextState(first, inputs(400, { suppliedKeyLabel: "paper-2026-11-23" }))).toBe(first);
    const next = nextState(first, inputs(1, { suppliedKeyLabel: "paper-2027-02-20" }));
    expect(next).toMatchObject({ slots: [0, 1], active: 1, labels: ["paper-2026-11-23", "paper-2027-02-20"] });
  });

  it("waits for the old key's end to be seen before it revokes", () => {
    const next = nextState(first, inputs(1, { suppliedKeyLabel: "b" }));
    expect(nextState(next, inputs(10, { suppliedKeyLabel: "b" }))).toBe(next);
    expect(nextState(next, inputs(10, { suppliedKeyLabel: "b", previousGone: true }))).toMatchObject({ revoked: true });
  });

  it("refuses a label that was used before", () => {
    let state = first;
    for (const label of ["b", "c"]) state = nextState(state, inputs(1, { suppliedKeyLabel: label }));
    expect(() => nextState(state, inputs(2, { suppliedKeyLabel: "paper-2026-11-23" }))).toThrow(/used before/);
  });

  it("does not take the same new key again after it was rolled back", () => {
    const request = activate("back", 0);
    for (const before of [nextState(first, inputs(1, { suppliedKeyLabel: "b" })), first]) {
      const back = nextState(before, inputs(1.1, { suppliedKeyLabel: "b", request }));
      expect(back).toMatchObject({ slots: [0, 1], active: 0, labels: ["paper-2026-11-23", "b"] });
      expect(nextState(back, inputs(50, { suppliedKeyLabel: "b", request }))).toBe(back);
    }
  });

  it("holds that the active generation's label is the one in its slot", () => {
    expect(first.labels[first.active]).toBe("paper-2026-11-23");
    expect(activeGeneration(first)).toBe(0);
  });
});
