import { describe, expect, it } from "vitest";
import { type DecideInputs, decide, type Rules } from "../../../core/decide";
import { describePlan } from "../../../core/plan";
import type { Request } from "../../../core/request";
import type { SecretState } from "../../../core/state";
import { activate, at, inputs, rotate } from "./update-inputs";

const password: Rules = { kind: "password", overlaps: true, hasAdopted: true };
const on = (rules: Rules, days: number, more: Partial<DecideInputs> = {}) => {
  const { policy } = inputs(days);
  const nothing = { request: undefined, finished: undefined, recorded: undefined };
  return decide({ secret: "a/b", now: at(days), policy, ...nothing, rules, ...more });
};
const left = (state: SecretState) => ({ finished: state, recorded: state });
const first = on(password, 0).state;

describe("the decision on a secret", () => {
  it("says action, generations, reason and mode", () => {
    expect(on(password, 0)).toMatchObject({ action: "ADOPT", from: undefined, to: 1, mode: "rotation", force: false });
    expect(on(password, 50, left(first))).toMatchObject({ action: "REVOKE", reason: "grace period over" });
    expect(on(password, 89, left(first))).toMatchObject({ action: "ROTATE", from: 1, to: 2, reason: "due by age" });
    const done = on(password, 89, left(first)).state;
    expect(on(password, 89.5, left(done))).toMatchObject({ action: undefined, to: 2, reason: "nothing is due" });
  });

  it("of a request carries its mode, and its force in the one update that handles it", () => {
    const leak: Request = { ...rotate("leak"), emergency: true, force: true };
    const decided = on(password, 3, { ...left(first), request: leak });
    expect(decided).toMatchObject({ action: "ROTATE", mode: "emergency", force: true });
    expect(on(password, 3.1, { ...left(decided.state), request: leak })).toMatchObject({
      action: undefined,
      force: false,
    });
    expect(on(password, 3, { ...left(first), request: activate("back", 0) })).toMatchObject({ mode: "rollback" });
  });

  it("goes on with what was begun, and says so", () => {
    const begun = on(password, 89, left(first)).state;
    const decided = on(password, 90, { finished: first, recorded: begun });
    expect(decided).toMatchObject({ action: "ROTATE", resumes: true, begun, to: 2 });
    expect(describePlan(decided)).toBe(
      "a/b: rotates from generation 1 to 2 (due by age; finishes what an interrupted update had begun)",
    );
    const leak: Request = { ...rotate("leak"), emergency: true };
    const waits = on(password, 90, { finished: first, recorded: begun, request: leak });
    expect(waits).toMatchObject({ resumes: true, deferred: "leak" });
    expect(describePlan(waits)).toContain("request leak acts in the next update");
  });

  it("finishes a key pair that is in the config, and goes on without one that the operator took out again", () => {
    const key = (label: string): Rules => ({
      ...{ kind: "supplied-key", label, previousLabel: "a-2026-11-20", since: undefined, previousGone: false },
    });
    const [finished] = [on({ ...key("a-2026-11-20"), previousLabel: undefined } as Rules, 0).state];
    const begun = on(key("a-2026-11-25"), 2, left(finished)).state;
    const halfWay = { finished, recorded: begun };
    expect(on(key("a-2026-11-25"), 3, halfWay)).toMatchObject({ resumes: true, to: 1 });
    const other = on(key("a-2026-11-26"), 3, halfWay);
    expect(other).toMatchObject({ action: "ROTATE", to: 1, state: { labels: ["a-2026-11-20", "a-2026-11-26"] } });
    expect(other.resumes).toBeUndefined();
    const back = on(key("a-2026-11-26"), 3, { ...halfWay, request: activate("back", 0) });
    expect(back.state).toMatchObject({ slots: [0, 1], active: 0, labels: ["a-2026-11-20", "a-2026-11-25"] });
  });

  it("adopts a key pair without asking for services, and repairs what ended too early or what Vault rotated", () => {
    const key = (more: object = {}): Rules => ({
      ...{
        kind: "supplied-key",
        label: "a-2026-11-20",
        previousLabel: undefined,
        since: undefined,
        previousGone: false,
      },
      ...more,
    });
    const adopted = on(key(), 0);
    expect(adopted).toMatchObject({ action: "ADOPT", to: 0, mode: "adoption" });
    const moved = on(key({ label: "a-2026-11-25", previousLabel: "a-2026-11-20" }), 2, left(adopted.state));
    expect(moved).toMatchObject({ action: "ROTATE", mode: "rotation" });
    const gone = key({ label: "a-2026-11-25", previousLabel: "a-2026-11-20", previousGone: true });
    expect(on(gone, 2.2, left(moved.state))).toMatchObject({ action: "REVOKE", mode: "repair" });

    const vault = (rotation?: string): Rules => ({ kind: "rotated-by-vault", rotation });
    const taken = on(vault(), 0);
    expect(taken).toMatchObject({ action: "ADOPT", mode: "rotation" });
    expect(on(vault(at(5).toISOString()), 6, left(taken.state))).toMatchObject({ action: "ROTATE", mode: "repair" });
    expect(on(vault(), 90, left(taken.state))).toMatchObject({ action: "ROTATE", mode: "rotation" });
    const leases = on({ kind: "leases", definition: "x" }, 0);
    expect(on({ kind: "leases", definition: "y" }, 1, left(leases.state))).toMatchObject({ action: "ROTATE", to: 2 });
  });
});
