import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dueAt, graceEndsAt } from "../../../core/deadlines";
import { labelDate } from "../../../core/key-label";
import { type Inputs, nextState } from "../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import type { Request } from "../../../core/request";
import { activation, activeGeneration, EMPTY, other, previousGeneration, type SecretState } from "../../../core/state";
import { alpacaPairs } from "../../../kinds/alpaca-key/supplied";
import { afterUpdate, inputs, START } from "./update-inputs";

const activate = (id: string, generation: number, emergency?: true): Request => ({
  id,
  secret: "alpaca/api_key",
  ...(emergency ? { rotate: true, emergency } : { activate: generation }),
  reason: "test",
});

/** What can happen to a key between two updates: a new one, a rollback, the deletion of the one before, or nothing. */
const event = fc.record({
  kind: fc.constantFrom("update", "supply", "emergency", "activate", "delete"),
  days: fc.oneof(fc.double({ min: 0, max: 2, noNaN: true }), fc.integer({ min: 0, max: 400 })),
  offset: fc.integer({ min: 0, max: 2 }),
  crashes: fc.boolean(),
});
const histories = fc.array(event, { minLength: 1, maxLength: 60 });

type Happened = typeof event extends fc.Arbitrary<infer T> ? T : never;
type Each = (before: SecretState | undefined, after: SecretState, given: Inputs) => void;

function play(events: Happened[], each: Each) {
  let state: SecretState | undefined;
  let [now, label, gone] = [0, "key 0", new Set<string>()];
  let request: Request | undefined;
  events.forEach(({ kind, days, offset, crashes }, index) => {
    now += days;
    if (kind === "supply" || kind === "emergency") label = `key ${index + 1}`;
    if (kind === "emergency") request = activate(`e${index}`, 0, true);
    if (kind === "activate")
      request = activate(`a${index}`, Math.max(0, (state ? Math.max(...state.slots) : 0) - offset));
    const previous = state?.labels[state.active === 0 ? 1 : 0];
    if (kind === "delete" && previous) gone = new Set([...gone, previous]);
    const given = inputs(now, {
      request,
      suppliedKeyLabel: label,
      previousGone: previous ? gone.has(previous) : false,
    });
    const after = afterUpdate(state, given);
    if (after === undefined) {
      request = undefined;
      return;
    }
    each(state, after, given);
    if (!crashes) state = after;
  });
}

const check = (each: Each) =>
  fc.assert(
    fc.property(histories, (events) => play(events, each)),
    { numRuns: 500 },
  );
const acts = (before: SecretState | undefined, after: SecretState) => before?.step.sequence !== after.step.sequence;

describe("nextState with supplied keys, over long random histories", () => {
  it("fills at most one slot an update, with max(slots) + 1, and never the active one", () => {
    check((before, after) => {
      if (before === undefined) return;
      const changed = ([0, 1] as const).filter((slot) => before.slots[slot] !== after.slots[slot]);
      expect(changed.length).toBeLessThanOrEqual(1);
      for (const slot of changed) {
        expect(slot).toBe(other(before.active));
        expect(after.slots[slot]).toBe(Math.max(...before.slots) + 1);
      }
    });
  });

  it("moves the activation with every step, but for a REVOKE that was not too early", () => {
    check((before, after) => {
      if (before === undefined) return;
      const early = after.step.action === "REVOKE" && after.endedEarly !== undefined;
      const moves = acts(before, after) && (after.step.action !== "REVOKE" || early);
      expect(activation(after) !== activation(before)).toBe(moves);
    });
  });

  it("never gives two activations the same name", () => {
    fc.assert(
      fc.property(histories, (events) => {
        const names: string[] = [];
        play(
          events.map((happened) => ({ ...happened, crashes: false })),
          (before, after) => {
            if (before === undefined || activation(before) !== activation(after)) names.push(activation(after));
          },
        );
        expect(new Set(names).size).toBe(names.length);
      }),
      { numRuns: 500 },
    );
  });

  it("ends a key only when its end was seen, once, and too early only before the grace period's end", () => {
    check((before, after, given) => {
      if (before === undefined || !acts(before, after) || after.step.action !== "REVOKE") return;
      expect(given.previousGone).toBe(true);
      expect(before.revoked).toBe(false);
      expect(after.step.generation).toBe(previousGeneration(before));
      const early = given.now < graceEndsAt(before, policy) && before.activatedBy === undefined && !before.emergency;
      expect(after.endedEarly).toBe(early ? previousGeneration(before) : undefined);
      expect(nextState(after, given)).toBe(after);
    });
  });

  it("rotates only to a label that was never used, and remembers it", () => {
    check((before, after, given) => {
      if (before === undefined || Math.max(...after.slots) === Math.max(...before.slots)) return;
      expect(before.usedLabels).not.toContain(given.suppliedKeyLabel);
      expect(after.usedLabels).toContain(given.suppliedKeyLabel);
      expect(new Set(after.usedLabels).size).toBe(after.usedLabels.length);
    });
  });

  it("keeps the label of the pair in the slot that holds it", () => {
    check((before, after) => {
      expect(after.labels[after.active]).not.toBeNull();
      if (before === undefined) return;
      for (const slot of [0, 1] as const) {
        if (before.slots[slot] === after.slots[slot]) expect(after.labels[slot]).toBe(before.labels[slot]);
      }
    });
  });

  it("computes the very same slots and activation again after a crash", () => {
    check((before, after, given) => {
      if (!acts(before, after)) return;
      const again = nextState(before, { ...given, now: new Date(given.now.getTime() + 3_600_000) });
      expect(again.slots).toEqual(after.slots);
      expect(again.active).toBe(after.active);
      // An hour later the grace period may be over: then nobody can hold the old key any more.
      if (again.endedEarly === after.endedEarly) expect(activation(again)).toBe(activation(after));
    });
  });

  it("forgets that a key ended early with the next rotation or rollback", () => {
    check((before, after) => {
      if (before?.endedEarly === undefined || !acts(before, after) || after.step.action === "REVOKE") return;
      expect(after.endedEarly).toBeUndefined();
    });
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
    const { supply } = alpacaPairs.terms({ name: "alpaca/api_key" });
    const again = inputs(2, { suppliedKeyLabel: "paper-2026-11-23", supply });
    expect(() => nextState(state, again)).toThrow(/used before.*`rotation alpaca add-key`/);
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

describe("nextState, a key that ends", () => {
  const [A, B, C] = ["paper-2026-11-20", "paper-2026-12-01", "paper-2027-02-25"];
  const first = nextState(undefined, inputs(0, { suppliedKeyLabel: A, adoptedSince: new Date("2026-11-20") }));
  const rotated = nextState(first, inputs(8, { suppliedKeyLabel: B }));

  it("counts the age of an adopted key from the date in its label, but never from the future", () => {
    expect(first.rotatedAt).toBe("2026-11-20T00:00:00.000Z");
    expect(dueAt(first, policy).toISOString()).toBe("2027-02-17T00:00:00.000Z");
    const ahead = nextState(undefined, inputs(0, { suppliedKeyLabel: A, adoptedSince: new Date("2027-01-01") }));
    expect(ahead.rotatedAt).toBe(new Date(START).toISOString());
  });

  it("too early restarts the readers and says why", () => {
    const early = nextState(rotated, inputs(8.5, { suppliedKeyLabel: B, previousGone: true }));
    expect(early).toMatchObject({ revoked: true, endedEarly: 0, slots: [0, 1], active: 1 });
    expect(early.step).toMatchObject({ action: "REVOKE", generation: 0 });
    expect(early.step.reason).toBe(
      `the key ${A} was deleted before its grace period ended (2026-12-02T02:00:00.000Z): every service that reads the pair is restarted`,
    );
    expect(activation(early)).toBe("1, 0 deleted early");
    const next = nextState(early, inputs(90, { suppliedKeyLabel: C }));
    expect(activation(next)).toBe("2");
  });

  it("in time restarts nothing", () => {
    const ended = nextState(rotated, inputs(9, { suppliedKeyLabel: B, previousGone: true }));
    expect(ended.step.reason).toBe("grace period over");
    expect(activation(ended)).toBe(activation(rotated));
  });

  it("after a rollback or an emergency is never too early", () => {
    const back = nextState(rotated, inputs(8.1, { suppliedKeyLabel: B, request: activate("back", 0) }));
    const left = nextState(
      back,
      inputs(8.2, { suppliedKeyLabel: B, previousGone: true, request: activate("back", 0) }),
    );
    expect(left).toMatchObject({ revoked: true, step: { generation: 1, reason: "deleted after the rollback" } });
    expect(activation(left)).toBe(activation(back));
    const leak = nextState(first, inputs(1, { suppliedKeyLabel: B, request: activate("leak", 0, true) }));
    expect(leak).toMatchObject({ emergency: true, revoked: false, active: 1 });
    const dead = nextState(leak, inputs(1.1, { suppliedKeyLabel: B, previousGone: true }));
    expect(dead).toMatchObject({ revoked: true, step: { reason: "deleted after the emergency rotation" } });
    expect(activation(dead)).toBe(activation(leak));
  });

  it("does not come in the way of a new key", () => {
    const next = nextState(rotated, inputs(8.5, { suppliedKeyLabel: C, previousGone: true }));
    expect(next).toMatchObject({ slots: [2, 1], active: 0, revoked: false, step: { action: "ROTATE" } });
    expect(activeGeneration(next)).toBe(2);
  });
});

describe("a label's date", () => {
  it.each([
    ["paper-trading-2026-11-23", "2026-11-23"],
    ["2026-11-23", "2026-11-23"],
    ["Live key 2.1_2028-02-29", "2028-02-29"],
  ])("%s", (label, day) => expect(labelDate(label)?.toISOString()).toBe(`${day}T00:00:00.000Z`));

  it.each([
    "paper-trading",
    "paper-2026-11-23-b",
    "paper-2026-13-01",
    "paper-2027-02-29",
    "paper2026-11-23",
    "-2026-11-23",
    "",
    "a\n2026-11-23",
  ])("is none in %j", (label) => expect(labelDate(label)).toBeUndefined());
});
