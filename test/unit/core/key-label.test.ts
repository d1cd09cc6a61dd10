import fc from "fast-check";
import { expect, it } from "vitest";
import { labelDate, lastFour } from "../../../core/key-label";

it("the day at the end of a label is its date, and no other text has one", () => {
  const day = fc.date({ min: new Date("1970-01-01"), max: new Date("9999-12-31"), noInvalidDate: true });
  fc.assert(
    fc.property(day, fc.constantFrom("", "paper-", "paper trading ", "a."), (date, before) => {
      const text = date.toISOString().slice(0, 10);
      expect(labelDate(`${before}${text}`)?.toISOString()).toBe(`${text}T00:00:00.000Z`);
      for (const wrong of [`${before}${text}x`, `-${before}${text}`, `x${text}`, before])
        expect(labelDate(wrong)).toBeUndefined();
    }),
  );
  for (const impossible of ["key-2026-02-31", "key-2026-13-01", "key-26-01-01"])
    expect(labelDate(impossible)).toBeUndefined();
});

it("people see the last four characters of a key", () => {
  expect(lastFour("PKABCDEF1234")).toBe("…1234");
});
