import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { begunOf, isRecorded, PREFLIGHT_TYPE, recordedOf } from "../../../core/begun";
import { nextState } from "../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import { type Request, RequestRefusedError } from "../../../core/request";
import { type Resolved, resolve } from "../../../core/resume";
import {
  activeGeneration,
  adoptedGeneration,
  type Generation,
  keptGeneration,
  other,
  type SecretState,
  type SlotIndex,
} from "../../../core/state";
import { activate, at, inputs, rotate } from "./update-inputs";

interface Stack {
  readonly finished: SecretState | undefined;
  readonly recorded: SecretState | undefined;
}

const adopt = (id: string): Request => ({ id, secret: "database/password", adopt: true, reason: "test" });

/** As components/preflight.ts: what is recorded of the same activation stays as it is. */
const records = (recorded: SecretState | undefined, state: SecretState) => !isRecorded(recorded, state);

const update = ({ finished, recorded }: Stack, days: number, request?: Request): Resolved =>
  resolve({ finished, recorded, request, now: at(days) }, ({ previous, ...given }) =>
    nextState(previous, inputs(days, given)),
  );

/** What an update leaves that passed the preflight and was interrupted after that. */
const interrupted = (stack: Stack, days: number, request?: Request): Stack => {
  const { state } = update(stack, days, request);
  return { finished: stack.finished, recorded: records(stack.recorded, state) ? state : stack.recorded };
};

const done = (stack: Stack, days: number, request?: Request): Stack => {
  const { state } = update(stack, days, request);
  return { finished: state, recorded: records(stack.recorded, state) ? state : stack.recorded };
};

/** What was begun, finished after so many days: the grace period of the previous credential begins then. */
const finishedAt = (days: number, { recorded }: Stack): SecretState => {
  const begun = recorded as SecretState;
  const moved = { ...begun, step: { ...begun.step, at: at(days).toISOString() } };
  return begun.step.action !== "ROLLBACK"
    ? moved
    : { ...moved, notBefore: new Date(at(days).getTime() + policy.retryAfter).toISOString() };
};

const first = done({ finished: undefined, recorded: undefined }, 0);
const second = done(first, 89);

describe("an update that was interrupted", () => {
  it("is finished by the next one, although its request is gone and nothing is due", () => {
    const halfWay = interrupted(second, 91, rotate("r1"));
    expect(update(halfWay, 91.1)).toEqual({ state: finishedAt(91.1, halfWay), resumes: true });
    expect(update(halfWay, 500)).toEqual({ state: finishedAt(500, halfWay), resumes: true });
    expect(update(halfWay, 91.1, rotate("r1"))).toEqual({ state: finishedAt(91.1, halfWay), resumes: true });
    expect(halfWay.recorded).toMatchObject({ slots: [2, 3], active: 1, handledRequest: "r1" });
  });

  it("is finished although the clock went back behind the date on which it was due", () => {
    const halfWay = interrupted(first, 89);
    expect(update(halfWay, 10)).toEqual({ state: finishedAt(10, halfWay), resumes: true });
  });

  it("is rolled back on top of what it had begun", () => {
    const halfWay = interrupted(second, 91, rotate("r1"));
    const back = update(halfWay, 91.1, activate("back", 2));
    expect(back).toMatchObject({ resumes: false, state: { slots: [2, 3], active: 0, activatedBy: "back" } });
    // The rollback is interrupted as well, its request removed: it is finished, and the next number is one of its own.
    const again = interrupted(halfWay, 91.1, activate("back", 2));
    expect(update(again, 91.2)).toEqual({ state: finishedAt(91.2, again), resumes: true });
    expect(update(again, 91.2, activate("back again", 2))).toMatchObject({
      resumes: true,
      state: { active: 0, activatedBy: "back", handledRequest: "back again" },
    });
    expect(update(done(again, 91.2), 93, rotate("r2")).state).toMatchObject({ slots: [2, 4], active: 1 });
  });

  it("says that a value which it replaced cannot be had any more", () => {
    const halfWay = interrupted(second, 91, rotate("r1"));
    expect(() => update(halfWay, 91.1, activate("back", 1))).toThrow(/no generation 1 .*: 2 \(active now: 3\)/);
  });

  it("answers a rotation that is asked for meanwhile", () => {
    const halfWay = interrupted(second, 91, rotate("r1"));
    const { state, resumes, deferred } = update(halfWay, 91.1, rotate("r2"));
    expect(state).toEqual({ ...finishedAt(91.1, halfWay), handledRequest: "r2" });
    expect({ resumes, deferred }).toEqual({ resumes: true, deferred: undefined });
    expect(update(done(halfWay, 91.1, rotate("r2")), 91.2, rotate("r2")).state.slots).toEqual([2, 3]);
  });

  it("answers a rotation if it was the first one, too, and what is decided without it is told so", () => {
    const halfWay = interrupted({ finished: undefined, recorded: undefined }, 0);
    expect(update(halfWay, 0.1, rotate("r"))).toEqual({
      state: { ...finishedAt(0.1, halfWay), handledRequest: "r" },
      resumes: true,
    });
    const bases: unknown[] = [];
    const { finished, recorded } = first;
    const decided = resolve({ finished, recorded, request: undefined, now: at(1) }, (base) => {
      bases.push(base);
      return finished as SecretState;
    });
    expect(decided).toEqual({ state: finished, resumes: false });
    expect(bases).toEqual([{ previous: finished, request: undefined, begun: false, certain: true }]);
  });

  it("goes before an emergency, which acts in the update after unless it was one itself", () => {
    const leak = { ...rotate("leak"), emergency: true as const };
    const halfWay = interrupted(second, 91, rotate("r1"));
    expect(update(halfWay, 91.1, leak)).toEqual({ state: finishedAt(91.1, halfWay), resumes: true, deferred: leak });
    expect(update(done(halfWay, 91.1, leak), 91.2, leak).state).toMatchObject({ slots: [4, 3], emergency: true });
    const urgent = interrupted(second, 91, leak);
    const again = update(urgent, 91.1, { ...leak, id: "again" });
    expect(again).toMatchObject({ resumes: true, state: { slots: [2, 3], handledRequest: "again" } });
    expect(again.deferred).toBeUndefined();
  });

  it("goes before a rotation if it was a rollback", () => {
    const back = interrupted(second, 91, activate("back", 1));
    const r = rotate("r");
    expect(update(back, 91.1, r)).toEqual({ state: finishedAt(91.1, back), resumes: true, deferred: r });
  });

  it("is finished as what a request for the same generation asks", () => {
    const halfWay = interrupted(second, 91, rotate("r1"));
    const { state, resumes } = update(halfWay, 91.1, activate("on", 3));
    expect({ resumes, state }).toEqual({
      resumes: true,
      state: { ...finishedAt(91.1, halfWay), handledRequest: "on" },
    });
  });

  it("that the state does not record is decided on as before", () => {
    const old = { finished: second.finished, recorded: undefined };
    expect(update(old, 91, activate("back", 2)).state).toMatchObject({ slots: [2, 3], active: 0 });
  });
});

describe("an adoption that was interrupted", () => {
  const halfWay = interrupted(second, 91, adopt("take it"));

  it("goes back to the generation in whose slot it is, whose value the stack has kept", () => {
    expect(halfWay.recorded).toMatchObject({ slots: [3, 1], adoptedGeneration: 3, adoptedOver: 2 });
    expect(keptGeneration(halfWay.recorded as SecretState, 0)).toBe(2);
    const { state } = update(halfWay, 91.1, activate("back", 2));
    expect(state).toMatchObject({ slots: [2, 1], active: 0, rotatedAt: second.finished?.rotatedAt });
    // The number is spent: the next generation must not be taken for the adopted one.
    const later = done({ finished: state, recorded: state }, 93, rotate("r"));
    expect(later.finished).toMatchObject({ slots: [2, 4], active: 1 });
  });

  it("goes back to the other slot's generation too, and forward again", () => {
    const back = done(halfWay, 91.1, activate("back", 1));
    expect(back.finished).toMatchObject({ slots: [3, 1], active: 1 });
    expect(update(back, 91.2, activate("forward", 3)).state).toMatchObject({ slots: [3, 1], active: 0 });
  });

  it("is followed by one of a corrected value", () => {
    const again = update(halfWay, 91.1, adopt("corrected"));
    expect(again.state).toMatchObject({ slots: [4, 1], adoptedGeneration: 4, adoptedOver: 2 });
    expect(update({ finished: second.finished, recorded: again.state }, 91.2, activate("back", 2)).state).toMatchObject(
      {
        slots: [2, 1],
        active: 0,
      },
    );
  });
});

describe("what is read from the stack's resources", () => {
  const halfWay = interrupted(second, 91, rotate("r1"));
  const resources = (stack: Stack) => [
    { type: "pulumi:pulumi:Stack", outputs: { secrets: { "database/password": { state: stack.finished } } } },
    { type: PREFLIGHT_TYPE, outputs: { secret: "database/password-2", state: first.finished } },
    { type: PREFLIGHT_TYPE, outputs: { secret: "database/password", state: stack.recorded } },
  ];

  it("is what was begun and is not finished", () => {
    expect(begunOf(resources(halfWay), "database/password")).toEqual(halfWay.recorded);
    expect(begunOf(resources(second), "database/password")).toBeUndefined();
    expect(begunOf(resources(second), "unknown")).toBeUndefined();
    expect(begunOf([], "database/password")).toBeUndefined();
    expect(begunOf([{ type: PREFLIGHT_TYPE, outputs: {} }], "database/password")).toBeUndefined();
    expect(recordedOf(resources(second), "database/password")).toEqual(second.recorded);
  });
});

/** Where an update ends: refused by its preflight, killed at a point, or finished. */
const ENDS = ["preflight", "new value", "stored", "finished"] as const;

const step = fc.record({
  days: fc.oneof(fc.double({ min: -1, max: 3, noNaN: true }), fc.integer({ min: 80, max: 100 })),
  asks: fc.option(
    fc.oneof(
      fc.constant({ kind: "rotate" as const, offset: 0 }),
      fc.constant({ kind: "adopt" as const, offset: 0 }),
      fc.record({ kind: fc.constant("activate" as const), offset: fc.integer({ min: 0, max: 3 }) }),
    ),
    { nil: undefined },
  ),
  /** Whether what was asked for before is asked for no more. */
  forgets: fc.boolean(),
  end: fc.constantFrom(...ENDS),
});

/** A stack with what the engine keeps in its slots, and what the platform may have in use. */
class World {
  stack: Stack = { finished: undefined, recorded: undefined };
  readonly kept: [Generation, Generation] = [-2, -2];
  readonly fills = new Map<Generation, number>();
  readonly used = new Set<Generation>([0]);
  readonly adopted = new Set<Generation>();

  take(days: number, request: Request | undefined, end: (typeof ENDS)[number]): Resolved | undefined {
    let resolved: Resolved;
    try {
      resolved = update(this.stack, days, request);
    } catch (error) {
      expect(error).toBeInstanceOf(RequestRefusedError);
      return undefined;
    }
    const { state } = resolved;
    const { finished, recorded } = this.stack;
    // As in kinds/postgres-password/component.ts: the inactive slot does not wait for the preflight.
    this.fill(state, other(state.active));
    if (end === "preflight") return resolved;
    this.stack = { finished, recorded: records(recorded, state) ? state : recorded };
    if (adoptedGeneration(state) > 0) this.adopted.add(adoptedGeneration(state));
    this.fill(state, state.active);
    if (end === "new value") return resolved;
    this.used.add(activeGeneration(state));
    if (end === "stored") return resolved;
    this.stack = { finished: state, recorded: this.stack.recorded };
    this.used.clear();
    this.used.add(activeGeneration(state));
    return resolved;
  }

  private fill(state: SecretState, slot: SlotIndex): void {
    const [was, is] = [this.kept[slot], keptGeneration(state, slot)];
    if (was === is) return;
    // A value that the config gives is not the engine's to lose.
    if (was > 0 && !this.adopted.has(was)) expect([...this.used]).not.toContain(was);
    this.kept[slot] = is;
    if (is <= 0 || is === adoptedGeneration(state)) return;
    this.fills.set(is, (this.fills.get(is) ?? 0) + 1);
    expect(this.fills.get(is)).toBe(1);
  }
}

describe("whatever is interrupted where, and whatever the config asks then", () => {
  it("no value that may be in use is lost, no generation has two values, and a plain update ends what was begun", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
        const world = new World();
        let days = 0;
        let request: Request | undefined;
        world.take(0, undefined, "finished");
        steps.forEach(({ days: passed, asks, forgets, end }, index) => {
          days += passed;
          if (forgets) request = undefined;
          const highest = Math.max(...(world.stack.recorded?.slots ?? [1]));
          if (asks?.kind === "rotate") request = rotate(`r${index}`);
          if (asks?.kind === "adopt") request = adopt(`t${index}`);
          if (asks?.kind === "activate") request = activate(`a${index}`, Math.max(0, highest - asks.offset));
          if (world.take(days, request, end) === undefined) request = undefined;
        });
        const { finished, recorded } = world.stack;
        const begun = (recorded?.step.sequence ?? 0) > (finished?.step.sequence ?? 0);
        const last = world.take(days, undefined, "finished");
        if (begun) expect(last?.state).toEqual(finishedAt(days, { finished, recorded }));
        expect(last?.resumes).toBe(begun);
      }),
      { numRuns: 2000 },
    );
  });
});
