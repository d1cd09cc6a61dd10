import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dueAt } from "../../../core/deadlines";
import { type Inputs, nextState } from "../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import type { Request } from "../../../core/request";
import { activation, other, type SecretState } from "../../../core/state";
import { activate, afterUpdate, DAY, inputs, rotate } from "./update-inputs";

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
    const after = afterUpdate(state, given);
    if (after === undefined) {
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
