import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { marketHours } from "../../../core/market-clock";

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

  it("takes nothing for closed but an answer that says so", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (answer) => {
        expect(() => read(answer)).toThrow(/^expected `/);
      }),
    );
  });
});
