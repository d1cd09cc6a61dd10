import { describe, expect, it } from "vitest";
import { describePlan, type Plan, planOf } from "../../../core/plan";
import type { SecretState } from "../../../core/state";

const AT = "2026-11-23T02:00:00.000Z";

function state(action: SecretState["step"]["action"], sequence: number, more: Partial<SecretState> = {}): SecretState {
  return {
    slots: [2, 1],
    active: 0,
    filledAt: [AT, AT],
    labels: [null, null],
    rotatedAt: AT,
    revoked: false,
    step: { action, at: AT, generation: 2, reason: "due by age", sequence },
    ...more,
  } as SecretState;
}

const before = state("ADOPT", 1, { slots: [0, 1], active: 1 });
const after = state("ROTATE", 2);

describe("the plan of an update", () => {
  it("is the step by which the state comes out of the one before", () => {
    expect(planOf("a/b", before, { state: after, resumes: false })).toEqual({
      secret: "a/b",
      action: "ROTATE",
      from: 1,
      to: 2,
      reason: "due by age",
    });
  });

  it("is the first step if there was no state", () => {
    expect(planOf("a/b", undefined, { state: before, resumes: false })).toEqual({
      secret: "a/b",
      action: "ADOPT",
      from: undefined,
      to: 1,
      reason: "due by age",
    });
  });

  it("is no action if the step is the same", () => {
    expect(planOf("a/b", after, { state: after, resumes: false })).toEqual({
      secret: "a/b",
      action: undefined,
      from: 2,
      to: 2,
      reason: "nothing is due",
    });
  });

  it("says that it finishes an interrupted update, and which request waits for that", () => {
    const deferred = { id: "leak-17", secret: "a/b", reason: "x", rotate: true } as const;
    expect(planOf("a/b", before, { state: after, resumes: true, deferred })).toEqual({
      secret: "a/b",
      action: "ROTATE",
      from: 1,
      to: 2,
      resumes: true,
      deferred: "leak-17",
      reason: "due by age; finishes what an interrupted update had begun; request leak-17 acts in the next update",
    });
  });
});

describe("the sentence for a reviewer", () => {
  it.each<[Pick<Plan, "action" | "from" | "to">, string]>([
    [{ action: undefined, from: 2, to: 2 }, "a/b: stays at generation 2 (why)"],
    [{ action: "ADOPT", from: undefined, to: 0 }, "a/b: adopts the credential in use"],
    [{ action: "ADOPT", from: undefined, to: 1 }, "a/b: adopts the credential in use and rotates to generation 1"],
    [{ action: "ADOPT", from: 1, to: 2 }, "a/b: adopts the credential in use as generation 2 (why)"],
    [{ action: "ADOPT", from: 1, to: 0 }, "a/b: adopts the credential in use as generation 0 (why)"],
    [{ action: "ROTATE", from: 1, to: 2 }, "a/b: rotates from generation 1 to 2 (why)"],
    [{ action: "ROLLBACK", from: 2, to: 1 }, "a/b: rolls back to generation 1 (why)"],
    [{ action: "REVOKE", from: 2, to: 2 }, "a/b: ends the credential before generation 2 (why)"],
  ])("%j", (plan, sentence) => {
    expect(describePlan({ secret: "a/b", reason: "why", ...plan })).toBe(sentence);
  });
});
