import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MarketClockError, marketHours } from "../../../core/market-clock";

const now = new Date("2026-11-23T02:00:00Z");
const RIGHT = {
  timestamp: "2026-11-22T21:00:00.123456789-05:00",
  is_open: false,
  next_open: "2026-11-23T09:30:00-05:00",
  next_close: "2026-11-23T16:00:00-05:00",
};
const read = (answer: unknown) => marketHours(typeof answer === "string" ? answer : JSON.stringify(answer), now);

describe("the market's clock", () => {
  it("says how long the market stays closed, whatever the offset and however fine the time", () => {
    expect(read(RIGHT)).toMatchObject({ isOpen: false, nextOpen: RIGHT.next_open });
    expect(read(RIGHT).opensIn).toBeCloseTo(12.5 * 3_600_000, -3);
    expect(read({ ...RIGHT, timestamp: undefined }).opensIn).toBe(12.5 * 3_600_000);
    expect(read({ ...RIGHT, next_open: "2026-11-23T02:00:20.5Z" }).opensIn).toBe(20_377);
  });

  it.each<[answer: unknown, says: string]>([
    [{}, "expected `is_open` true or false, found none (its fields: none)"],
    [[], "expected `is_open` in a JSON object, found a list"],
    [[RIGHT], "expected `is_open` in a JSON object, found a list"],
    [null, "expected `is_open` in a JSON object, found null"],
    ["", "expected `is_open` in a JSON object, found an empty answer"],
    ["<html>maintenance</html>", "expected `is_open` in a JSON object, found text that is no JSON"],
    ['"closed"', "expected `is_open` in a JSON object, found string"],
    [{ message: "maintenance" }, "expected `is_open` true or false, found none (its fields: message)"],
    [{ clock: RIGHT }, "expected `is_open` true or false, found none (its fields: clock)"],
    [{ ...RIGHT, is_open: "false" }, 'expected `is_open` true or false, found "false"'],
    [{ ...RIGHT, is_open: 0 }, "expected `is_open` true or false, found 0"],
    [{ ...RIGHT, is_open: null }, "expected `is_open` true or false, found null"],
    [{ ...RIGHT, next_open: undefined }, "expected `next_open` a time such as"],
    [{ ...RIGHT, next_open: "tomorrow" }, 'found "tomorrow"'],
    [" \n", "found an empty answer"],
    [
      { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7 },
      "expected `is_open` true or false, found none (its fields: a, b, c, d, e, f)",
    ],
    [{ ["n".repeat(101)]: 1 }, `found none (its fields: ${"n".repeat(100)})`],
    [{ ...RIGHT, next_open: [RIGHT.next_open] }, `found ["${RIGHT.next_open}"]`],
    [{ ...RIGHT, next_open: 1795426200 }, "found 1795426200"],
    [{ ...RIGHT, next_open: "2026-11-23T09:30:00" }, 'found "2026-11-23T09:30:00"'],
    [{ ...RIGHT, next_open: "2026-13-45T09:30:00Z" }, 'found "2026-13-45T09:30:00Z"'],
    [{ ...RIGHT, next_close: null }, "expected `next_close` a time such as 2026-11-23T09:30:00-05:00, found null"],
    [{ ...RIGHT, next_open: "2026-11-23T01:59:59Z" }, "expected `next_open` in the future, found 2026-11-23T01:59:59Z"],
    [
      { ...RIGHT, timestamp: "2026-11-23T01:00:00Z" },
      "expected the time of now, found 2026-11-23T01:00:00Z, when it is",
    ],
  ])("refuses %j", (answer, says) => {
    expect(() => read(answer)).toThrow(says);
  });

  it("shows no more than 60 characters of what it found", () => {
    expect(() => read({ ...RIGHT, is_open: "x".repeat(80) })).toThrow(
      new MarketClockError(`expected \`is_open\` true or false, found "${"x".repeat(59)}`),
    );
  });

  it("may differ by ten minutes from this machine's, in both directions, and the market opens later than now", () => {
    const later = (milliseconds: number) => new Date(now.getTime() + milliseconds).toISOString();
    for (const skew of [-600_000, 600_000]) expect(read({ ...RIGHT, timestamp: later(skew) }).isOpen).toBe(false);
    for (const skew of [-600_001, 600_001])
      expect(() => read({ ...RIGHT, timestamp: later(skew) })).toThrow("expected the time of now");
    const opens = (milliseconds: number) => read({ ...RIGHT, timestamp: undefined, next_open: later(milliseconds) });
    expect(opens(1).opensIn).toBe(1);
    expect(() => opens(0)).toThrow("expected `next_open` in the future");
  });

  it("takes nothing for closed but an answer that says so", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (answer) => {
        expect(() => read(answer)).toThrow(/^expected `/);
      }),
    );
  });
});
