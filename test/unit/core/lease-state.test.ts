import fc from "fast-check";
import { expect, test } from "vitest";
import type { Request } from "../../../core/request";
import { activation, activeGeneration, previousGeneration, type SecretState } from "../../../core/state";
import { nextLeaseState } from "../../../kinds/vault-dynamic/next-state";

const now = new Date("2026-11-23T02:00:00.000Z");
const definition = "1h-24h-a";
const first = nextLeaseState(undefined, { now, definition });
const later = (days: number) => new Date(now.getTime() + days * 86_400_000);
const request = (id: string, more: Partial<Request> = { rotate: true }): Request => ({
  id,
  secret: "database/login",
  reason: "a test",
  ...more,
});

test("the first update moves the services to leases, as generation 1 with nothing to go back to", () => {
  expect(first).toMatchObject({ step: { action: "ADOPT", generation: 1, sequence: 1 }, rotatedAt: now.toISOString() });
  expect(activeGeneration(first)).toBe(1);
  expect(previousGeneration(first)).toBeUndefined();
});

test("nothing is ever due by age", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100_000 }), (days) => {
      expect(nextLeaseState(first, { now: later(days), definition })).toBe(first);
    }),
  );
});

test("a request rotates exactly once, and a changed definition too", () => {
  const asked = nextLeaseState(first, { now: later(1), definition, request: request("leak") });
  expect(asked).toMatchObject({ handledRequest: "leak", step: { action: "ROTATE", generation: 2, reason: "a test" } });
  expect(nextLeaseState(asked, { now: later(2), definition, request: request("leak") })).toBe(asked);
  const changed = nextLeaseState(asked, { now: later(3), definition: "2h-24h-a" });
  expect(changed).toMatchObject({ handledRequest: "leak", step: { action: "ROTATE", generation: 3, sequence: 3 } });
  expect(nextLeaseState(changed, { now: later(4), definition: "2h-24h-a" })).toBe(changed);
});

test("at most one generation an update, whatever comes together", () => {
  const ids = fc.option(fc.constantFrom("a", "b", "c"), { nil: undefined });
  const moves = fc.array(fc.record({ id: ids, definition: fc.constantFrom("x", "y"), days: fc.nat(500) }));
  fc.assert(
    fc.property(moves, (updates) => {
      let state: SecretState | undefined;
      for (const { id, definition: wanted, days } of updates) {
        const before = state;
        state = nextLeaseState(before, {
          now: later(days),
          definition: wanted,
          ...(id === undefined ? {} : { request: request(id) }),
        });
        const step = activeGeneration(state) - (before === undefined ? 0 : activeGeneration(before));
        expect(step === 0 || step === 1).toBe(true);
        expect(state === before).toBe(step === 0);
        expect(activation(state)).toBe(String(activeGeneration(state)));
        expect(state.labels[0]).toBe(wanted);
      }
    }),
  );
});

test("an emergency is remembered until the next generation", () => {
  const leaked = nextLeaseState(first, { now, definition, request: request("x", { rotate: true, emergency: true }) });
  expect(leaked.emergency).toBe(true);
  expect(nextLeaseState(leaked, { now, definition, request: request("y") }).emergency).toBeUndefined();
});

test("what makes no sense with leases is refused with the reason and the way on", () => {
  const refuse = (more: Partial<Request>, before: SecretState | undefined = first) =>
    expect(() => nextLeaseState(before, { now, definition, request: request("r", more) }));
  refuse({ activate: 1 }).toThrow(
    "request r: database/login is made by Vault for a short time (vault-dynamic): a lease that has ended cannot be " +
      "brought back, so there is no generation to return to. To have every service fetch a new login: `rotate: true`; " +
      "nothing was changed.",
  );
  refuse({ activate: 0 }, undefined).toThrow(/no generation to return to/);
  refuse({ adopt: true }).toThrow(/cannot be adopted/);
  refuse({ rotate: true, force: true }).toThrow(/leave `force` out/);
});
