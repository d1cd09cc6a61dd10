import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { atOnce, batchesOf, type MaxUnavailable } from "../../../core/rollout";

const hostList = fc.integer({ min: 1, max: 120 }).map((count) => Array.from({ length: count }, (_, at) => `app-${at}`));
const limit: fc.Arbitrary<MaxUnavailable> = fc.oneof(
  fc.integer({ min: 1, max: 130 }),
  fc.integer({ min: 1, max: 99 }).map((share): MaxUnavailable => `${share}%`),
);

describe("the batches of a rollout", () => {
  it("have each host once, in order, and never more than allowed at once", () => {
    fc.assert(
      fc.property(hostList, limit, fc.nat(10), (hosts, maxUnavailable, canary) => {
        const { batches, canaries } = batchesOf(hosts, { maxUnavailable, canary });
        expect(batches.flat()).toEqual(hosts);
        for (const batch of batches) {
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(atOnce(maxUnavailable, hosts.length));
        }
        // The canaries are whole batches: no other host is taken with them.
        expect(batches.slice(0, canaries).flat()).toEqual(hosts.slice(0, canary));
      }),
    );
  });

  it("are one host after the other without a rollout", () => {
    fc.assert(
      fc.property(hostList, (hosts) => {
        expect(batchesOf(hosts, undefined)).toEqual({ batches: hosts.map((host) => [host]), canaries: 0 });
      }),
    );
  });

  it("round a share down to whole hosts, at least one", () => {
    expect(atOnce("25%", 10)).toBe(2);
    expect(atOnce("25%", 3)).toBe(1);
    expect(atOnce("99%", 2)).toBe(1);
    expect(atOnce("10%", 100)).toBe(10);
    expect(atOnce(7, 3)).toBe(7);
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 1000 }), fc.integer({ min: 1, max: 99 }), (hosts, share) => {
        const at = atOnce(`${share}%`, hosts);
        expect(at).toBeGreaterThanOrEqual(1);
        expect(at).toBeLessThan(hosts);
      }),
    );
  });

  it("take the canaries first", () => {
    const hosts = ["a", "b", "c", "d", "e", "f", "g"];
    expect(batchesOf(hosts, { maxUnavailable: 2, canary: 1 })).toEqual({
      batches: [["a"], ["b", "c"], ["d", "e"], ["f", "g"]],
      canaries: 1,
    });
    expect(batchesOf(hosts, { maxUnavailable: 2, canary: 3 }).batches).toEqual([
      ["a", "b"],
      ["c"],
      ["d", "e"],
      ["f", "g"],
    ]);
  });
});
