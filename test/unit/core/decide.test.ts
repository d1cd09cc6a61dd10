import { describe, expect, it } from "vitest";
import type { KeyPair, SecretConfig } from "../../../config";
import { type DecideInputs, decide, type Rules } from "../../../core/decide";
import { describePlan } from "../../../core/plan";
import type { Request } from "../../../core/request";
import type { SecretState } from "../../../core/state";
import { kindFor } from "../../../kinds";
import { activate, at, inputs, rotate } from "./update-inputs";

/** What a kind decides by, of a secret with these keys. */
function rulesOf(own: object, seen: object = {}, alpacaKeys: object = {}): Rules {
  const secret = { name: "a/b", restart: [], ...own } as unknown as SecretConfig;
  const config = { policy: inputs(0).policy, preflight: {}, adopted: { "a/b": "old" }, alpacaKeys } as never;
  return kindFor(secret).rules(secret, config, seen);
}

const password = rulesOf({ kind: "postgres-password", strategy: "alternating-users" });
const key = (current: string, previous?: string, seen: object = {}): Rules => {
  const pair = (label: string): KeyPair => ({ label, keyId: "", secretKey: "" });
  const keys = { current: pair(current), ...(previous === undefined ? {} : { previous: pair(previous) }) };
  return rulesOf({ kind: "alpaca-key" }, seen, { "a/b": keys });
};
const vault = (rotation?: string) => rulesOf({ kind: "postgres-password", strategy: "vault-static" }, { rotation });
const leases = (defaultTtl: number) =>
  rulesOf({ kind: "postgres-password", strategy: "vault-dynamic", role: "trader", defaultTtl, maxTtl: 2 });
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

  it("runs steps in place from the first activation of this version on, and not before", () => {
    expect(first.inPlace).toBe(3);
    expect(first.derivesSalts).toBe(-1);
    const { inPlace: _, derivesSalts: __, ...older } = first;
    expect(on(password, 0.5, left(older)).state).toEqual(older);
    expect(on(password, 50, left(older))).toMatchObject({ action: "REVOKE", state: { step: { action: "REVOKE" } } });
    expect(on(password, 50, left(older)).state).not.toHaveProperty("inPlace");
    expect(on(password, 89, left(older)).state).toMatchObject({ inPlace: 3, derivesSalts: 2, slots: [2, 1] });
    expect(on(password, 3, { ...left(older), request: activate("back", 0) }).state.inPlace).toBe(3);
    expect(on(password, 50, left({ ...older, inPlace: 2 })).state.inPlace).toBe(2);
    expect(
      on(vault("2027-01-01T00:00:00Z"), 89, left({ ...older, vaultRotation: "2026-12-01T00:00:00Z" })).state.inPlace,
    ).toBe(3);
    const revoked = on(password, 50, left(first)).state;
    expect(revoked).toMatchObject({ inPlace: 3, step: { action: "REVOKE" } });
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
    const [first, second, third] = ["a-2026-11-20", "a-2026-11-25", "a-2026-11-26"];
    const finished = on(key(first), 0).state;
    const begun = on(key(second, first), 2, left(finished)).state;
    const halfWay = { finished, recorded: begun };
    expect(on(key(second, first), 3, halfWay)).toMatchObject({ resumes: true, to: 1 });
    const other = on(key(third, first), 3, halfWay);
    expect(other).toMatchObject({ action: "ROTATE", to: 1, state: { labels: [first, third] } });
    expect(other.resumes).toBeUndefined();
    const back = on(key(third, first), 3, { ...halfWay, request: activate("back", 0) });
    expect(back.state).toMatchObject({ slots: [0, 1], active: 0, labels: [first, second] });
  });

  it("adopts a key pair without asking for services, and repairs what ended too early or what Vault rotated", () => {
    const [old, fresh] = ["a-2026-11-20", "a-2026-11-25"];
    const adopted = on(key(old), 0);
    expect(adopted).toMatchObject({ action: "ADOPT", to: 0, mode: "adoption" });
    const moved = on(key(fresh, old), 2, left(adopted.state));
    expect(moved).toMatchObject({ action: "ROTATE", mode: "rotation" });
    const gone = key(fresh, old, { previousKey: { previous: "gone" } });
    expect(on(gone, 2.2, left(moved.state))).toMatchObject({ action: "REVOKE", mode: "repair" });

    const taken = on(vault(), 0);
    expect(taken).toMatchObject({ action: "ADOPT", mode: "rotation" });
    expect(on(vault(at(5).toISOString()), 6, left(taken.state))).toMatchObject({ action: "ROTATE", mode: "repair" });
    expect(on(vault(), 90, left(taken.state))).toMatchObject({ action: "ROTATE", mode: "rotation" });
    expect(on(leases(2), 1, left(on(leases(1), 0).state))).toMatchObject({ action: "ROTATE", to: 2 });
  });
});
