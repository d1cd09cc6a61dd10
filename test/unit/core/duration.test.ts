import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "../../../core/duration";

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

describe("a duration of the config", () => {
  it.each(Object.entries(UNITS))("is a number of %s", (unit, length) => {
    expect(parseDuration(`1${unit}`)).toBe(length);
    expect(parseDuration(`90${unit}`)).toBe(90 * length);
    expect(parseDuration(`1.25${unit}`)).toBe(1.25 * length);
  });

  it.each(["", "90", "d", "90 d", " 90d", "90d ", "x90d", "90dd", "90D", "-1d", "1.d", ".5d", "1,5d", "1w", "90days"])(
    "is not %j",
    (text) => {
      expect(() => parseDuration(text)).toThrow(
        new Error(`expected a duration such as 90d, 24h, 30m or 45s, found ${JSON.stringify(text)}`),
      );
    },
  );
});

describe("a duration for people", () => {
  it.each([
    [90 * UNITS.d, "90d"],
    [UNITS.d, "1d"],
    [36 * UNITS.h, "36h"],
    [UNITS.h, "1h"],
    [90 * UNITS.m, "90m"],
    [UNITS.m, "1m"],
    [90 * UNITS.s, "90s"],
    [UNITS.s, "1s"],
    [UNITS.h + 1, "1h"],
    [2 * UNITS.d - 1, "2d"],
    [1500, "2s"],
    [999, "999ms"],
    [0, "0ms"],
  ])("%d is %s", (duration, text) => {
    expect(formatDuration(duration)).toBe(text);
  });

  it("is read again as what it was", () => {
    const duration = fc.tuple(fc.integer({ min: 1, max: 999 }), fc.constantFrom(...Object.values(UNITS)));
    fc.assert(
      fc.property(duration, ([count, length]) => {
        expect(parseDuration(formatDuration(count * length))).toBe(count * length);
      }),
    );
  });
});
