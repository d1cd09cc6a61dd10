import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dueAt } from "../../../core/deadlines";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import { RequestRefusedError } from "../../../core/request";
import { activeGeneration, EMPTY, previousGeneration, type SecretState } from "../../../core/state";
import { nextVaultState } from "../../../kinds/vault-static/next-state";

const START = Date.parse("2026-11-23T02:00:00Z");
const at = (minutes: number) => new Date(START + minutes * 60_000);
const request = (id: string, wish: object) => ({ id, secret: "database/password", reason: "a test", ...wish });

/** A state as a finished update leaves it: with Vault's rotation that the services were restarted after. */
const first: SecretState = {
  ...nextVaultState(undefined, { now: at(0), policy }),
  vaultRotation: at(0).toISOString(),
};

describe("a password that Vault rotates", () => {
  it("begins at generation 1 with nothing to go back to", () => {
    expect(first).toMatchObject({ slots: [1, EMPTY], active: 0, revoked: true, step: { action: "ADOPT" } });
    expect(previousGeneration(first)).toBeUndefined();
  });

  it("takes as its age Vault's own time, and says it", () => {
    const next = nextVaultState(first, { now: at(60), policy, rotation: at(30).toISOString() });
    expect(next).toMatchObject({ slots: [2, EMPTY], rotatedAt: at(30).toISOString() });
    expect(next.step.reason).toBe(`rotated by Vault at ${at(30).toISOString()}`);
    expect(next).not.toHaveProperty("forced");
  });

  it("has Vault rotate if the age says so and Vault has not", () => {
    const late = dueAt(first, policy);
    const next = nextVaultState(first, { now: late, policy, rotation: first.vaultRotation });
    expect(next).toMatchObject({ forced: true, byAge: true, rotatedAt: late.toISOString() });
  });

  it.each([
    [{ activate: 1 }, /keeps no earlier password.*rotation rotate-now database\/password/],
    [{ adopt: true }, /Vault makes the value/],
  ])("refuses %j with the reason", (wish, message) => {
    const inputs = { now: at(5), policy, request: request("r", wish), rotation: first.vaultRotation };
    expect(() => nextVaultState(first, inputs as never)).toThrow(RequestRefusedError);
    expect(() => nextVaultState(first, inputs as never)).toThrow(message);
  });

  it("in any history: one step an update at most, each request once, each rotation once, and no step without a cause", () => {
    const event = fc.record({
      minutes: fc.integer({ min: 0, max: 200_000 }),
      rotates: fc.boolean(),
      asks: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
      dies: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        let state = first;
        let clock = 0;
        let rotation = first.vaultRotation as string;
        for (const { minutes, rotates, asks, dies } of events) {
          clock += minutes + 1;
          if (rotates) rotation = at(clock - 0.5).toISOString();
          const wish = asks === undefined ? undefined : request(`r${asks}`, { rotate: true });
          const next = nextVaultState(state, { now: at(clock), policy, request: wish, rotation } as never);
          const moved = next !== state;
          expect(activeGeneration(next) - activeGeneration(state)).toBe(moved ? 1 : 0);
          expect(next.step.sequence - state.step.sequence).toBe(moved ? 1 : 0);
          const asked = wish !== undefined && wish.id !== state.handledRequest;
          const due = at(clock) >= dueAt(state, policy);
          expect(moved).toBe(asked || rotation !== state.vaultRotation || due);
          expect(next.forced === true && moved).toBe(asked || (due && rotation === state.vaultRotation));
          if (asked) expect(next.handledRequest).toBe(wish.id);
          expect(Date.parse(next.rotatedAt)).toBeLessThanOrEqual(at(clock).getTime());
          // An update that dies leaves the outputs as they were: the next computes the same generation.
          if (dies || !moved) continue;
          if (next.forced) rotation = at(clock).toISOString();
          state = { ...next, vaultRotation: rotation };
          // What Vault rotated long ago and nobody noticed may be due by its age already.
          if (at(clock) >= dueAt(state, policy)) continue;
          expect(nextVaultState(state, { now: at(clock), policy, request: wish, rotation } as never)).toBe(state);
        }
      }),
    );
  });
});
