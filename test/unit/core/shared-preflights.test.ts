import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Decision, PREFLIGHT_MODES } from "../../../core/decide";
import { nextState } from "../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import { sharePreflights } from "../../../core/shared-preflights";

const finished = nextState(undefined, { now: new Date("2026-11-23T02:00:00Z"), policy, hasAdopted: true });
const rotated = nextState(finished, { now: new Date("2027-02-20T02:00:00Z"), policy, hasAdopted: true });
const decision = (secret: string, more: Partial<Decision> = {}): Decision => ({
  ...{ secret, action: "ROTATE", from: 1, to: 2, reason: "89 days old", state: rotated, finished },
  ...{ begun: undefined, mode: "rotation", force: false, ...more },
});
const seenBy = (decisions: readonly Decision[]) => sharePreflights(decisions).map(({ state }) => state.platformSeenBy);

describe("whose preflight looks at the whole platform", () => {
  it("the first that acts, for those that act after it", () => {
    const idle = decision("a/x", { action: undefined, state: finished });
    expect(seenBy([idle, decision("b/x"), decision("c/x"), decision("d/x")])).toEqual([
      undefined,
      undefined,
      "b/x",
      "b/x",
    ]);
  });

  it("an adoption that moves nothing asks less than a rotation", () => {
    const adopts = (secret: string) => decision(secret, { action: "ADOPT", mode: "adoption", finished: undefined });
    expect(seenBy([adopts("a/x"), decision("b/x"), adopts("c/x"), decision("d/x")])).toEqual([
      ...[undefined, undefined, "a/x", "b/x"],
    ]);
  });

  it("its own, of an emergency, a rollback, and one that was begun before", () => {
    const own = [decision("b/x", { mode: "emergency" }), decision("c/x", { mode: "rollback" })];
    expect(seenBy([decision("a/x"), ...own, decision("d/x", { resumes: true })])).toEqual(Array(4).fill(undefined));
    // What was begun relied on another one, and has its answer already.
    const begun = { ...rotated, platformSeenBy: "a/x" };
    expect(seenBy([decision("b/x", { resumes: true, state: begun }), decision("c/x")])).toEqual(["a/x", undefined]);
  });

  it("the end of a grace period looks at nothing, and an idle secret keeps what its last activation said", () => {
    const kept = { ...finished, platformSeenBy: "z/x" };
    const idle = decision("b/x", { action: undefined, state: kept, finished: kept });
    const revokes = decision("a/x", { action: "REVOKE", state: { ...kept, revoked: true }, finished: kept });
    expect(seenBy([revokes, idle, decision("c/x", { state: { ...rotated, platformSeenBy: "z/x" } })])).toEqual([
      ...["z/x", "z/x", undefined],
    ]);
  });

  it("somebody's in every update: whoever relies on one stands behind it, and that one relies on nobody", () => {
    const one = fc.record({
      mode: fc.constantFrom(...PREFLIGHT_MODES),
      action: fc.constantFrom("ROTATE" as const, "ROLLBACK" as const, "REVOKE" as const, undefined),
      resumes: fc.constantFrom(true as const, undefined),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 6 }), (given) => {
        const decisions = given.map(({ resumes, ...more }, index) =>
          decision(`s${index}/x`, { ...more, ...(resumes === undefined ? {} : { resumes }) }),
        );
        const shared = sharePreflights(decisions);
        for (const [index, { state, mode }] of shared.entries()) {
          const { platformSeenBy } = state;
          if (platformSeenBy === undefined) continue;
          const by = shared.findIndex(({ secret }) => secret === platformSeenBy);
          expect(by).toBeLessThan(index);
          expect(shared[by]).toMatchObject({ mode, state: expect.not.objectContaining({ platformSeenBy }) });
        }
      }),
    );
  });
});
