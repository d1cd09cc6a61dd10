import fc from "fast-check";
import { expect, it } from "vitest";
import { rotationTakes } from "../../../core/duration-estimate";

it("adds up the time limits of all restarts, and two minutes for the rest", () => {
  expect(rotationTakes([])).toBe(120_000);
  expect(
    rotationTakes([
      { timeout: 60_000, batches: 0 },
      { timeout: 60_000, batches: 1 },
      { timeout: 90_000, batches: 3 },
    ]),
  ).toBe(120_000 + 60_000 + 60_000 + 270_000);
});

it("never shrinks with one more service or host", () => {
  const service = fc.record({ timeout: fc.nat(600_000), batches: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(service), service, (services, { timeout, batches }) => {
      const takes = rotationTakes([...services, { timeout, batches }]);
      expect(takes).toBeGreaterThanOrEqual(rotationTakes(services));
      expect(rotationTakes([...services, { timeout, batches: batches + 1 }])).toBeGreaterThanOrEqual(takes);
    }),
  );
});
