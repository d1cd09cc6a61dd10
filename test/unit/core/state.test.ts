import { describe, expect, it } from "vitest";
import { begunOf, isRecorded, PREFLIGHT_TYPE, recordedOf, unfinishedOf } from "../../../core/begun";
import { assertRestorable, RequestRefusedError, restorableGenerations } from "../../../core/request";
import {
  activation,
  adoptedGeneration,
  keptGeneration,
  leftAdoption,
  nextGeneration,
  previousGeneration,
  type SecretState,
  slotOf,
  withSlot,
} from "../../../core/state";
import { activate } from "./update-inputs";

const state = (more: Partial<SecretState> = {}, sequence = 2): SecretState => ({
  slots: [2, 3],
  active: 1,
  rotatedAt: "2026-11-23T02:00:00.000Z",
  filledAt: [null, null],
  labels: [null, null],
  usedLabels: [],
  revoked: false,
  step: { sequence, action: "ROTATE", generation: 3, reason: "test", at: "2026-11-23T02:00:00.000Z" },
  ...more,
});

describe("two slots", () => {
  it("count generations, an empty slot for none and an adopted one for one", () => {
    expect(nextGeneration(state())).toBe(4);
    expect(nextGeneration(state({ slots: [0, -1] }))).toBe(1);
    expect(nextGeneration(state({ adoptedGeneration: 7 }))).toBe(8);
    expect(adoptedGeneration(state())).toBe(0);
  });

  it("hold the previous generation beside the active one", () => {
    expect(previousGeneration(state())).toBe(2);
    expect(previousGeneration(state({ active: 0 }))).toBe(3);
    expect(previousGeneration(state({ slots: [0, -1], active: 0 }))).toBeUndefined();
    expect(previousGeneration(state({ slots: [0, 1] }))).toBe(0);
    expect([2, 3, 1].map((generation) => slotOf(state(), generation))).toEqual([0, 1, undefined]);
    expect([withSlot(["a", "b"], 0, "c"), withSlot(["a", "b"], 1, "c")]).toEqual([
      ["c", "b"],
      ["a", "c"],
    ]);
  });

  it("keep the value that was there before one from outside was adopted", () => {
    expect(keptGeneration(state(), 1)).toBe(3);
    expect(keptGeneration(state({ adoptedGeneration: 3 }), 1)).toBe(3);
    expect(keptGeneration(state({ adoptedGeneration: 3, adoptedOver: 1 }), 1)).toBe(1);
    expect(keptGeneration(state({ adoptedGeneration: 3, adoptedOver: 1 }), 0)).toBe(2);
    expect(keptGeneration(state({ slots: [0, 1], adoptedOver: 1 }), 0)).toBe(0);
  });

  it("have left an adopted value only by a rollback from it", () => {
    expect(leftAdoption(state({ adoptedGeneration: 4, activatedBy: "back" }))).toBe(4);
    expect(leftAdoption(state({ adoptedGeneration: 4 }))).toBeUndefined();
    expect(leftAdoption(state({ adoptedGeneration: 3, activatedBy: "back" }))).toBeUndefined();
    expect(leftAdoption(state({ activatedBy: "back" }))).toBeUndefined();
  });

  it("have a trigger that names the generation, the rollback and what was deleted early", () => {
    expect(activation(state())).toBe("3");
    expect(activation(state({ activatedBy: "leak-17" }))).toBe("3 by request leak-17");
    expect(activation(state({ endedEarly: 2 }))).toBe("3, 2 deleted early");
    expect(activation(state({ activatedBy: "leak-17", endedEarly: 0 }))).toBe("3 by request leak-17, 0 deleted early");
  });
});

describe("what was begun", () => {
  const preflight = (secret: string, recorded?: SecretState) => ({
    type: PREFLIGHT_TYPE,
    outputs: { secret, state: recorded },
  });
  const stack = (finished: SecretState) => ({
    type: "pulumi:pulumi:Stack",
    outputs: { secrets: { "a/b": { state: finished } } },
  });

  it("is recorded by the preflight of that secret alone", () => {
    const other = { type: "command:local:Command", outputs: { secret: "a/b", state: state() } };
    const resources = [{ type: PREFLIGHT_TYPE }, other, preflight("c/d", state()), preflight("a/b", state({}, 5))];
    expect(recordedOf(resources, "a/b")).toEqual(state({}, 5));
    expect(recordedOf(resources, "e/f")).toBeUndefined();
    expect(recordedOf([preflight("a/b")], "a/b")).toBeUndefined();
  });

  it("is unfinished if the outputs have not heard of it", () => {
    expect(unfinishedOf(state({}, 2), state({}, 3))).toEqual(state({}, 3));
    expect(unfinishedOf(undefined, state({}, 1))).toEqual(state({}, 1));
    expect(unfinishedOf(state({}, 3), state({}, 3))).toBeUndefined();
    expect(unfinishedOf(state({}, 4), state({}, 3))).toBeUndefined();
    expect(unfinishedOf(state(), undefined)).toBeUndefined();
  });

  it("is found among the stack's resources", () => {
    expect(begunOf([stack(state({}, 2)), preflight("a/b", state({}, 3))], "a/b")).toEqual(state({}, 3));
    expect(begunOf([stack(state({}, 3)), preflight("a/b", state({}, 3))], "a/b")).toBeUndefined();
    for (const outputs of [undefined, {}, { secrets: {} }, { secrets: { "a/b": {} } }])
      expect(begunOf([{ type: "pulumi:pulumi:Stack", outputs }, preflight("a/b", state())], "a/b")).toEqual(state());
    expect(begunOf([preflight("a/b", state())], "a/b")).toEqual(state());
    expect(begunOf([stack(state())], "c/d")).toBeUndefined();
  });

  it("stays recorded for the same activation of the same key", () => {
    expect(isRecorded(state(), state({ revoked: true }, 9))).toBe(true);
    expect(isRecorded(undefined, state())).toBe(false);
    expect(isRecorded(state(), state({ active: 0 }))).toBe(false);
    expect(isRecorded(state({ labels: [null, "a"] }), state({ labels: [null, "b"] }))).toBe(false);
    expect(isRecorded(state({ labels: ["a", "x"] }), state({ labels: ["b", "x"] }))).toBe(true);
  });
});

describe("what a rollback can return to", () => {
  it("is each generation whose value is known, once", () => {
    expect(restorableGenerations(state(), false)).toEqual([2, 3]);
    expect(restorableGenerations(state({ slots: [0, 1] }), true)).toEqual([0, 1]);
    expect(restorableGenerations(state({ slots: [0, 1] }), false)).toEqual([1]);
    expect(restorableGenerations(state({ slots: [0, -1], active: 0 }), true)).toEqual([0]);
    expect(restorableGenerations(state({ adoptedGeneration: 3, adoptedOver: 1 }), true)).toEqual([2, 3, 1]);
  });

  it("is offered if the request names another", () => {
    const refused = (target: number, of: SecretState, hasAdopted = true) => {
      expect(() => assertRestorable(activate("back", target), target, of, hasAdopted)).toThrow(RequestRefusedError);
      try {
        assertRestorable(activate("back", target), target, of, hasAdopted);
      } catch (error) {
        expect((error as Error).name).toBe("RequestRefusedError");
        return (error as Error).message;
      }
      return undefined;
    };
    const end = "Correct or remove the config key `request`; nothing was changed.";
    const over = { adoptedGeneration: 3, adoptedOver: 0 } as const;
    expect(refused(1, state())).toBe(
      `request back: database/password has no generation 1 in its slots; available: 2 (active now: 3). ${end}`,
    );
    expect(refused(7, state(over))).toContain("available: 2, 0 (active now: 3). ");
    expect(refused(0, state({ slots: [0, 1] }), false)).toBe(
      "request back: database/password has no generation 0 in its slots; there is nothing to roll back to. Its value was " +
        `never given: set the secret config key \`adopted\`. ${end}`,
    );
    expect(refused(5, state({ slots: [0, 1] }), false)).not.toContain("never given");
    expect(refused(0, state({ slots: [1, 2] }), true)).not.toContain("never given");
    expect(assertRestorable(activate("back", 2), 2, state(), false)).toBeUndefined();
  });
});
