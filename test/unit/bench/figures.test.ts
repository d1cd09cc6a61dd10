import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { atMost, growthExponent, markdown, median } from "../../../dev/bench/figures";

describe("figures of a benchmark", () => {
  it("the median lies between the middle values, whatever the order", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(() => median([])).toThrow(RangeError);
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
        const middle = median(values);
        const half = values.length / 2;
        expect(values.filter((value) => value < middle).length).toBeLessThanOrEqual(half);
        expect(values.filter((value) => value > middle).length).toBeLessThanOrEqual(half);
      }),
    );
  });

  it("the exponent of c * x^k is k", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 3, noNaN: true }),
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        (k, c) => {
          const points = [1, 10, 50, 100].map((x) => ({ x, y: c * x ** k }));
          expect(growthExponent(points)).toBeCloseTo(k, 6);
        },
      ),
    );
    expect(() => growthExponent([{ x: 1, y: 1 }])).toThrow(RangeError);
  });

  it("a missed target is said as such", () => {
    const figures = [atMost("a", 1.2, 1.5, "1.2 s against 1 s"), atMost("b", 1.6, 1.5, "1.6 s against 1 s")];
    const text = markdown({ title: "T", figures, notes: ["N."] });
    expect(text).toContain("| a | 1.20 (1.2 s against 1 s) | <= 1.5 | met |");
    expect(text).toContain("| b | 1.60 (1.6 s against 1 s) | <= 1.5 | **missed** |");
  });
});
