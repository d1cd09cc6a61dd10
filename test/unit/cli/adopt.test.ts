import { describe, expect, it } from "vitest";
import { adoptionOf } from "../../../cli/operate/adopt";
import { nextState } from "../../../core/next-state";
import { operationsOf } from "../../../kinds/operations";
import { activate, inputs, rotate } from "../core/update-inputs";

const first = nextState(undefined, inputs(0));
const rotated = nextState(first, inputs(89));
const back = nextState(first, inputs(1, { request: activate("back", 0) }));
const adopt = { id: "a", secret: "database/password", adopt: true as const, reason: "test" };
const byHand = nextState(rotated, inputs(90, { request: adopt }));

/** `[finished, recorded]`, whether the value is ours, whether it is `adopted` already. */
const of = (finished: typeof first | undefined, recorded = finished, { ours = false, isAdopted = false } = {}) =>
  adoptionOf({ finished, recorded }, ours, isAdopted);

describe("how the store's value is adopted", () => {
  it("before the first finished update by the value alone: there is nothing to ask for", () => {
    expect(of(undefined)).toMatchObject({ way: "value" });
    expect(of(undefined, first)).toMatchObject({ way: "value" });
    expect(of(undefined, first, { isAdopted: true })).toMatchObject({ way: "none", outcome: "was there already" });
  });

  it("while generation 0 is in use, or another that was adopted, by the value alone: a request would be refused", () => {
    expect(of(back)).toMatchObject({ way: "value", detail: expect.stringContaining("no request is needed") });
    expect(of(byHand)).toMatchObject({ way: "value" });
    expect(of(byHand, byHand, { isAdopted: true })).toMatchObject({ way: "none", outcome: "was there already" });
  });

  it("while one of ours is in use by a request", () => {
    expect(of(rotated)).toMatchObject({ way: "request" });
    expect(of(rotated, nextState(rotated, inputs(91, { request: rotate("r") })))).toMatchObject({ way: "request" });
  });

  it("after an adoption that was interrupted by another request", () => {
    expect(of(rotated, byHand)).toMatchObject({ way: "request" });
  });

  it("not if it is ours, or a generation that a rollback returns to", () => {
    expect(of(rotated, rotated, { ours: true })).toMatchObject({ way: "none", outcome: "not needed" });
    expect(of(first, first, { isAdopted: true })).toMatchObject({ way: "none", outcome: "not needed" });
  });
});

describe("what has no value to adopt", () => {
  it.each([
    [{ kind: "alpaca-key" }, /rotation alpaca add-key/],
    [{ kind: "postgres-password", strategy: "vault-static" }, /vault-static/],
    [{ kind: "postgres-password", strategy: "vault-dynamic" }, /vault-dynamic/],
  ])("%o says why", (secret, why) => expect(operationsOf(secret as never).adoption).toMatch(why));

  it.each(["single-user", "alternating-users"])("%s has one", (strategy) =>
    expect(operationsOf({ kind: "postgres-password", strategy } as never).adoption).toBeTypeOf("object"),
  );
});
