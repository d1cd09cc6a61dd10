import { describe, expect, it } from "vitest";
import { nextState } from "../../../core/next-state";
import { RequestRefusedError } from "../../../core/request";
import { alpacaPairs } from "../../../kinds/alpaca-key/supplied";
import { activate, at, inputs, rotate } from "./update-inputs";

const NOW = at(0).toISOString();
const step = { sequence: 1, action: "ADOPT", generation: 1, reason: "first update of this stack", at: NOW };

describe("nextState, the first update as a whole", () => {
  it("of a password: the platform's own in one slot, a new one in the other", () => {
    const first = {
      slots: [0, 1],
      active: 1,
      rotatedAt: NOW,
      filledAt: [NOW, NOW],
      labels: [null, null],
      usedLabels: [],
    };
    expect(nextState(undefined, inputs(0))).toEqual({ ...first, revoked: false, step });
    expect(nextState(undefined, inputs(0, { overlaps: false })).revoked).toBe(true);
  });

  it("of a key pair that is in use already, and of one that replaces another", () => {
    const keys = (supplied: string, adopted?: string) =>
      nextState(undefined, inputs(0, { suppliedKeyLabel: supplied, adoptedKeyLabel: adopted, adoptedSince: at(-3) }));
    expect(keys("a")).toMatchObject({ slots: [0, -1], active: 0, labels: ["a", null], usedLabels: ["a"] });
    expect(keys("a").filledAt).toEqual([at(-3).toISOString(), null]);
    expect(keys("a", "a")).toEqual(keys("a"));
    expect(keys("b", "a")).toMatchObject({ slots: [0, 1], active: 1, labels: ["a", "b"], usedLabels: ["a", "b"] });
    expect(keys("b", "a").filledAt).toEqual([at(-3).toISOString(), NOW]);
  });

  it("refuses a rollback to a value that was never given", () => {
    const given = inputs(0, { request: activate("back", 0), hasAdopted: false });
    expect(() => nextState(undefined, given)).toThrow(RequestRefusedError);
    expect(nextState(undefined, inputs(0, { request: activate("on", 1) })).step).toMatchObject({ action: "ADOPT" });
  });
});

describe("nextState, what a rotation notes", () => {
  const first = nextState(undefined, inputs(0));

  it("is whether it came by age, until a rollback or an adoption", () => {
    const aged = nextState(first, inputs(89));
    expect(aged.byAge).toBe(true);
    expect(nextState(first, inputs(5, { request: rotate("r") }))).not.toHaveProperty("byAge");
    expect(nextState(aged, inputs(89.5, { request: activate("back", 1) }))).not.toHaveProperty("byAge");
    const adopt = { id: "a", secret: "database/password", adopt: true, reason: "test" } as const;
    expect(nextState(aged, inputs(89.5, { request: adopt }))).not.toHaveProperty("byAge");
  });

  it("is the label of a new key; the one in use is none", () => {
    const { supply } = alpacaPairs.terms({ name: "alpaca/key" });
    const key = nextState(undefined, inputs(0, { suppliedKeyLabel: "a" }));
    expect(nextState(key, inputs(1, { suppliedKeyLabel: "b" })).step.reason).toBe("new key b");
    expect(() => nextState(key, inputs(1, { suppliedKeyLabel: "a", supply, request: rotate("r") }))).toThrow(
      new RequestRefusedError(
        "request r: database/password cannot rotate without a new key, and the one in the config (a) is in use already. " +
          "Supply a new one with `rotation alpaca add-key`; nothing was changed.",
      ),
    );
    const adopt = { id: "a", secret: "alpaca/key", adopt: true, reason: "test" } as const;
    expect(() => nextState(key, inputs(1, { suppliedKeyLabel: "a", supply, request: adopt }))).toThrow(
      "request a: alpaca/key is a key pair: supply the pair in the store with `rotation alpaca add-key` instead",
    );
  });
});
