import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addDays, dayIn, isDay, isTimeZone, localTime, spanOfHours, startOfDay } from "../../../core/wall-clock";

const NEW_YORK = "America/New_York";
const iso = (time: number) => new Date(time).toISOString().slice(0, 16);
const span = (day: string, from: string, to: string, zone = NEW_YORK) => {
  const found = spanOfHours(day, { from, to }, zone);
  return found && [iso(found.start), iso(found.end)];
};

describe("hours of a day", () => {
  it.each([
    ["2026-12-05", "02:00", "05:00", ["2026-12-05T07:00", "2026-12-05T10:00"]],
    ["2026-07-04", "02:00", "05:00", ["2026-07-04T06:00", "2026-07-04T09:00"]],
    ["2026-12-05", "22:00", "02:00", ["2026-12-06T03:00", "2026-12-06T07:00"]],
    ["2026-12-05", "00:00", "24:00", ["2026-12-05T05:00", "2026-12-06T05:00"]],
    // Clocks skip from 02:00 to 03:00.
    ["2027-03-14", "02:30", "05:00", ["2027-03-14T07:00", "2027-03-14T09:00"]],
    ["2027-03-14", "01:00", "02:30", ["2027-03-14T06:00", "2027-03-14T07:00"]],
    ["2027-03-14", "02:10", "02:50", undefined],
    ["2027-03-13", "23:00", "02:30", ["2027-03-14T04:00", "2027-03-14T07:00"]],
    // Clocks show 01:00 to 02:00 twice.
    ["2026-11-01", "01:30", "04:00", ["2026-11-01T06:30", "2026-11-01T09:00"]],
    ["2026-11-01", "00:00", "01:30", ["2026-11-01T04:00", "2026-11-01T05:30"]],
    ["2026-11-01", "01:15", "01:45", ["2026-11-01T06:15", "2026-11-01T06:45"]],
    ["2026-11-01", "00:30", "03:00", ["2026-11-01T04:30", "2026-11-01T08:00"]],
  ])("%s %s-%s", (day, from, to, expected) => expect(span(day, from, to)).toEqual(expected));

  it("of other zones: half an hour of daylight saving, a midnight that does not exist, a day that was skipped", () => {
    expect(span("2026-10-04", "01:45", "03:00", "Australia/Lord_Howe")).toEqual([
      "2026-10-03T15:15",
      "2026-10-03T16:00",
    ]);
    expect(iso(startOfDay("2018-11-04", "America/Sao_Paulo"))).toBe("2018-11-04T03:00");
    expect(span("2011-12-30", "02:00", "05:00", "Pacific/Apia")).toBeUndefined();
  });

  it("for people", () => {
    expect(localTime(Date.parse("2026-12-05T07:00:00Z"), NEW_YORK)).toBe("2026-12-05 02:00 EST");
    expect(localTime(Date.parse("2026-07-05T07:00:00Z"), NEW_YORK)).toBe("2026-07-05 03:00 EDT");
    expect(localTime(0, "UTC")).toBe("1970-01-01 00:00 UTC");
  });

  it("names of zones and dates that exist", () => {
    expect(["America/New_York", "UTC", "Europe/Berlin"].map(isTimeZone)).toEqual([true, true, true]);
    expect(["Mars/Base", "+05:30", "", "EST5", "new york"].filter(isTimeZone)).toEqual([]);
    expect(["2026-02-29", "2026-13-01", "26-01-01", "2026-1-1"].filter(isDay)).toEqual([]);
    expect(isDay("2028-02-29")).toBe(true);
  });
});

const ZONES = [
  NEW_YORK,
  "Europe/London",
  "Australia/Lord_Howe",
  "Asia/Kolkata",
  "America/Sao_Paulo",
  "Pacific/Apia",
  "UTC",
];
const clock = fc.integer({ min: 0, max: 95 }).map((quarter) => {
  const two = (n: number) => String(n).padStart(2, "0");
  return `${two(Math.floor(quarter / 4))}:${two((quarter % 4) * 15)}`;
});

it("every moment of a span shows a wall clock's time within the hours, also when clocks change", () => {
  const day = fc.oneof(
    fc.integer({ min: 0, max: 3000 }).map((days) => addDays("2024-01-01", days)),
    fc.constantFrom("2026-03-08", "2026-11-01", "2026-03-29", "2026-10-25", "2026-04-05", "2026-10-04"),
  );
  fc.assert(
    fc.property(
      day,
      clock,
      clock,
      fc.constantFrom(...ZONES),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (on, from, to, zone, part) => {
        fc.pre(from !== to);
        const found = spanOfHours(on, { from, to }, zone);
        if (found === undefined) return;
        const moment = found.start + Math.floor((found.end - found.start) * part);
        const shown = localTime(moment, zone).slice(11, 16);
        const date = dayIn(moment, zone);
        const next = to > from ? on : addDays(on, 1);
        expect(`${date} ${shown}` >= `${on} ${from}` && `${date} ${shown}` < `${next} ${to}`).toBe(true);
        expect(found.end - found.start).toBeLessThanOrEqual(26 * 3_600_000);
      },
    ),
  );
});
