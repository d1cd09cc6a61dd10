import { expect, test } from "vitest";
import { nextState } from "../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import { type Request, RequestRefusedError, restorableGenerations } from "../../../core/request";

const now = new Date("2026-11-23T02:00:00Z");
const later = new Date("2026-12-01T02:00:00Z");
const request: Request = { id: "take-over", secret: "database/password", adopt: true, reason: "changed by hand" };
const first = nextState(undefined, { now, policy, hasAdopted: true });

test("an external write becomes a generation in the slot in use, and the clock goes on", () => {
  const state = nextState(first, { now: later, policy, hasAdopted: true, request });
  expect(state).toMatchObject({ active: 1, slots: [-1, 2], adoptedGeneration: 2, rotatedAt: first.rotatedAt });
  expect(state.step).toMatchObject({ action: "ADOPT", generation: 2, reason: "changed by hand" });
  expect(nextState(state, { now: later, policy, hasAdopted: true, request })).toBe(state);
});

test("it can be returned to for as long as its value is given", () => {
  const state = nextState(first, { now: later, policy, hasAdopted: true, request });
  const rotate: Request = { id: "r", secret: "database/password", rotate: true, reason: "x" };
  const rotated = nextState(state, { now: later, policy, hasAdopted: true, request: rotate });
  expect(rotated.slots).toEqual([3, 2]);
  expect(restorableGenerations(rotated, true)).toEqual([3, 2]);
  expect(restorableGenerations(rotated, false)).toEqual([3]);
});

test("is refused without a value, for a key pair, and if the value in use is the adopted one already", () => {
  const refused = (inputs: object, state = first) => {
    return () => nextState(state, { now: later, policy, hasAdopted: true, request, ...inputs });
  };
  expect(refused({ hasAdopted: false })).toThrow(RequestRefusedError);
  expect(refused({ hasAdopted: false })).toThrow(/give the value first: .pulumi config set --secret/);
  const back: Request = { id: "b", secret: "database/password", activate: 0, reason: "x" };
  const rolledBack = nextState(first, { now: later, policy, hasAdopted: true, request: back });
  expect(refused({}, rolledBack)).toThrow(/generation 0 of database\/password, which is in use, is the config's/);
});
