import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseConfig, policyOf, type SecretConfig } from "../../../config";
import { type Calendar, marketAt, marketSpans, openingAt, openings } from "../../../core/calendar";
import { asPulumi, configWith, type Key, parse, rightSecret } from "./example";

const NEW_YORK = "America/New_York";
const WEEKEND = { days: ["SAT", "SUN"], from: "02:00", to: "05:00", timezone: NEW_YORK };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "calendar-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const policyFor = (...changes: (readonly [readonly Key[], unknown])[]) => {
  const config = parseConfig(asPulumi(configWith(...changes)), "paper", folder);
  return policyOf(config, config.secrets[0] as SecretConfig);
};
const calendarFor = (...changes: (readonly [readonly Key[], unknown])[]) => policyFor(...changes).calendar as Calendar;
const isOpen = (calendar: Calendar, time: string) => openingAt(calendar, Date.parse(time)) !== undefined;

describe("the calendar of a secret", () => {
  it("is none without one, so that nothing changes", () => {
    expect(policyFor()).not.toHaveProperty("calendar");
    expect(policyFor()).not.toHaveProperty("early");
    expect(
      policyFor(
        [["alpaca"], undefined],
        [["market"], { exchange: "XNYS" }],
        [["preflight"], { allowOpenMarket: true }],
      ),
    ).not.toHaveProperty("calendar");
  });

  it("has the stack's window, or its own, one or several, over midnight too", () => {
    const stacks = calendarFor([["window"], WEEKEND]);
    expect(isOpen(stacks, "2026-12-05T08:00:00Z")).toBe(true);
    expect(isOpen(stacks, "2026-12-04T08:00:00Z")).toBe(false);
    const night = { from: "22:00", to: "02:00", timezone: "Europe/Berlin", days: ["FRI"] };
    const own = calendarFor(
      [["window"], WEEKEND],
      [
        ["secrets", 0, "window"],
        [night, { ...night, from: "10:00", to: "12:00" }],
      ],
    );
    expect(
      ["2026-12-04T21:30:00Z", "2026-12-05T00:30:00Z", "2026-12-04T10:00:00Z"].map((time) => isOpen(own, time)),
    ).toEqual([true, true, true]);
    expect(["2026-12-05T08:00:00Z", "2026-12-05T21:30:00Z"].map((time) => isOpen(own, time))).toEqual([false, false]);
    expect(own.timezone).toBe("Europe/Berlin");
  });

  it("takes blackouts as dates, ranges, times and files, and days in the time zone of the window", () => {
    const blackouts = [
      "2026-12-05",
      // As Pulumi hands over a date and times without quotes.
      "2026-12-12 00:00:00 +0000 UTC",
      "2026-12-19/2026-12-20",
      { from: "2027-01-02T03:00:00-05:00", to: "2027-01-02 04:00:00 -0500 EST" },
    ];
    const calendar = calendarFor(
      [["window"], WEEKEND],
      [["blackouts"], blackouts],
      [["secrets", 0, "blackouts"], "2026-12-26"],
    );
    const closed = ["2026-12-05", "2026-12-12", "2026-12-19", "2026-12-20", "2026-12-26"];
    for (const day of closed) expect(isOpen(calendar, `${day}T08:00:00Z`), day).toBe(false);
    for (const day of ["2026-12-06", "2026-12-13", "2026-12-27"])
      expect(isOpen(calendar, `${day}T08:00:00Z`), day).toBe(true);
    const split = openings(calendar, {
      start: Date.parse("2027-01-02T00:00:00Z"),
      end: Date.parse("2027-01-03T00:00:00Z"),
    });
    expect(
      split.map(({ start, end }) => [start, end].map((time) => new Date(time).toISOString().slice(11, 16))),
    ).toEqual([
      ["07:00", "08:00"],
      ["09:00", "10:00"],
    ]);
  });

  it("pauses until a day or a time", () => {
    const paused = (until: string) =>
      calendarFor([["window"], WEEKEND], [["secrets", 0, "paused"], { until, reason: "audit" }]).paused;
    expect(paused("2027-01-15")).toEqual({ until: Date.parse("2027-01-15T05:00:00Z"), reason: "audit" });
    expect(paused("2027-01-15T12:00:00+01:00")?.until).toBe(Date.parse("2027-01-15T11:00:00Z"));
  });

  it("spreads due days: the same for a secret in each run, within the jitter, different between secrets", () => {
    const names = Array.from({ length: 40 }, (_, index) => `database/p${index}`);
    const early = names.map(
      (name) =>
        policyFor([["policy"], { jitter: "7d" }], [["secrets", 0], rightSecret({ name })], [["adopted"], {}]).early ??
        -1,
    );
    expect(early.every((time) => time >= 0 && time < 7 * 86_400_000)).toBe(true);
    expect(new Set(early.map((time) => Math.floor(time / 86_400_000))).size).toBe(7);
    const again = policyFor(
      [["policy"], { jitter: "7d" }],
      [["secrets", 0], rightSecret({ name: names[3] })],
      [["adopted"], {}],
    ).early;
    expect(again).toBe(early[3]);
  });
});

const ICS = [
  "BEGIN:VCALENDAR",
  "VERSION:2.0",
  "PRODID:-//test//EN",
  "BEGIN:VEVENT",
  "UID:1",
  "DTSTART;VALUE=DATE:20261205",
  "DTEND;VALUE=DATE:20261206",
  "SUMMARY:Q4 earnings",
  "END:VEVENT",
  "BEGIN:VEVENT",
  "UID:2",
  "DTSTART;TZID=America/New_York:20261212T000000",
  "DTEND;TZID=America/New_York:20261212T235900",
  "RRULE:FREQ=MONTHLY;BYDAY=2SA",
  "EXDATE;TZID=America/New_York:20270109T000000",
  "SUMMARY:Expiry",
  "END:VEVENT",
  "BEGIN:VEVENT",
  "UID:3",
  "DTSTART;VALUE=DATE:20261219",
  "SUMMARY:Cancelled",
  "STATUS:CANCELLED",
  "END:VEVENT",
  "BEGIN:VEVENT",
  "UID:4",
  "DTSTART:20261226T070000Z",
  "DURATION:PT3H",
  "SUMMARY:In UTC",
  "END:VEVENT",
  "END:VCALENDAR",
].join("\r\n");

describe("blackouts from an iCalendar file", () => {
  it("are its events: whole days, times in zones, repetitions with exceptions; not those that are cancelled", () => {
    writeFileSync(join(folder, "earnings.ics"), ICS);
    const calendar = calendarFor([["window"], WEEKEND], [["blackouts"], "earnings.ics"]);
    const days = ["2026-12-05", "2026-12-12", "2026-12-26", "2027-02-13", "2027-12-11"];
    for (const day of days) expect(isOpen(calendar, `${day}T08:00:00Z`), day).toBe(false);
    // The exception, the cancelled event, and days without one.
    for (const day of ["2027-01-09", "2026-12-19", "2026-12-06", "2027-02-20"])
      expect(isOpen(calendar, `${day}T08:00:00Z`), day).toBe(true);
  });

  it("leave out a cancelled instance of an event that repeats, and take a moved one where it is now", () => {
    const instance = (day: string, ...more: string[]) => [
      "BEGIN:VEVENT",
      "UID:2",
      `RECURRENCE-ID;TZID=America/New_York:${day}T000000`,
      ...more,
      "END:VEVENT",
    ];
    const moved = ["DTSTART;TZID=America/New_York:20270417T000000", "DTEND;TZID=America/New_York:20270417T235900"];
    const cancelled = ["DTSTART;TZID=America/New_York:20270313T000000", "STATUS:CANCELLED"];
    const more = [...instance("20270313", ...cancelled), ...instance("20270410", ...moved), "END:VCALENDAR"];
    writeFileSync(join(folder, "changed.ics"), ICS.replace("END:VCALENDAR", more.join("\r\n")));
    const calendar = calendarFor([["window"], WEEKEND], [["blackouts"], "changed.ics"]);
    const open = (day: string) => isOpen(calendar, `${day}T08:00:00Z`);
    expect(["2027-03-13", "2027-04-10"].map(open)).toEqual([true, true]);
    expect(["2027-04-17", "2027-05-08"].map(open)).toEqual([false, false]);
  });

  it("use the file's own time zone if its name is not one of IANA's", () => {
    const zone = [
      "BEGIN:VTIMEZONE",
      "TZID:Eastern Standard Time",
      "BEGIN:STANDARD",
      "DTSTART:16010101T020000",
      "TZOFFSETFROM:-0400",
      "TZOFFSETTO:-0500",
      "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11",
      "END:STANDARD",
      "BEGIN:DAYLIGHT",
      "DTSTART:16010101T020000",
      "TZOFFSETFROM:-0500",
      "TZOFFSETTO:-0400",
      "RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3",
      "END:DAYLIGHT",
      "END:VTIMEZONE",
    ];
    const event = [
      "BEGIN:VEVENT",
      "UID:1",
      "DTSTART;TZID=Eastern Standard Time:20261205T020000",
      "DTEND;TZID=Eastern Standard Time:20261205T050000",
      "END:VEVENT",
    ];
    writeFileSync(join(folder, "outlook.ics"), ["BEGIN:VCALENDAR", ...zone, ...event, "END:VCALENDAR"].join("\r\n"));
    const calendar = calendarFor([["window"], WEEKEND], [["blackouts"], ["outlook.ics"]]);
    expect(isOpen(calendar, "2026-12-05T08:00:00Z")).toBe(false);
    expect(isOpen(calendar, "2026-12-06T08:00:00Z")).toBe(true);
  });

  it.each([
    ["missing.ics", undefined, "ENOENT"],
    ["html.ics", "<html>not a calendar</html>", "it does not begin with BEGIN:VCALENDAR"],
    [
      "zone.ics",
      ICS.replaceAll("America/New_York", "Mars/Base"),
      "the event Expiry is in the time zone Mars/Base, which is neither of IANA nor in the file",
    ],
    [
      "often.ics",
      ICS.replace("FREQ=MONTHLY;BYDAY=2SA", "FREQ=SECONDLY"),
      "the event Expiry repeats more than 10000 times",
    ],
    ["start.ics", ICS.replace("DTSTART;VALUE=DATE:20261205\r\n", ""), "the event Q4 earnings has no DTSTART"],
  ])("%s is refused with its path and the reason", (file, text, reason) => {
    if (text !== undefined) writeFileSync(join(folder, file), text);
    const read = () => parseConfig(asPulumi(configWith([["blackouts"], ["2026-12-24", file]])), "paper", folder);
    expect(read).toThrow(`blackouts[1]: expected an iCalendar file, found ${join(folder, file)}: `);
    expect(read).toThrow(reason);
  });
});

describe("an exchange", () => {
  const market = (given: object) => parse(configWith([["market"], given])).market as NonNullable<Calendar["market"]>;
  const at = (given: object, time: string) => marketAt(market(given), Date.parse(time)).isOpen;

  it("is open in its hours, closed on holidays, closes early on short days, without asking anyone", () => {
    const nyse = { exchange: "XNYS" };
    expect(
      ["2026-11-30T14:30:00Z", "2026-11-30T20:59:00Z", "2026-07-01T13:30:00Z"].map((time) => at(nyse, time)),
    ).toEqual([true, true, true]);
    expect(
      [
        "2026-11-30T14:29:00Z",
        "2026-11-30T21:00:00Z",
        "2026-11-26T15:00:00Z",
        "2026-11-28T15:00:00Z",
        "2026-12-25T15:00:00Z",
      ].some((time) => at(nyse, time)),
    ).toBe(false);
    expect(["2026-11-27T17:59:00Z", "2026-11-27T18:00:00Z"].map((time) => at(nyse, time))).toEqual([true, false]);
    expect(at({ exchange: "XLON" }, "2026-12-24T12:31:00Z")).toBe(false);
    const days = marketSpans(market(nyse), { start: Date.parse("2027-01-01"), end: Date.parse("2028-01-01") });
    expect(days).toHaveLength(251);
  });

  it("may have extended hours and further holidays; or everything is in the config", () => {
    const extended = { exchange: "XNYS", from: "04:00", to: "20:00", holidays: ["2026-12-02"] };
    expect(
      ["2026-11-30T09:30:00Z", "2026-12-01T00:30:00Z", "2026-11-27T22:00:00Z"].map((time) => at(extended, time)),
    ).toEqual([true, true, true]);
    expect(["2026-11-26T15:00:00Z", "2026-12-02T15:00:00Z"].map((time) => at(extended, time))).toEqual([false, false]);
    const own = {
      from: "17:00",
      to: "16:00",
      days: ["SUN", "MON", "TUE", "WED", "THU"],
      timezone: "America/Chicago",
      shortDays: { "2026-12-23": { from: "17:00", to: "24:00" } },
    };
    expect(
      ["2026-11-29T23:30:00Z", "2026-11-30T21:59:00Z", "2026-12-24T05:30:00Z"].map((time) => at(own, time)),
    ).toEqual([true, true, true]);
    expect(
      ["2026-11-30T22:30:00Z", "2026-12-24T07:00:00Z", "2026-11-28T12:00:00Z"].map((time) => at(own, time)),
    ).toEqual([false, false, false]);
  });

  it("makes Alpaca's clock unnecessary", () => {
    expect(parse(configWith([["alpaca"], undefined], [["market"], { exchange: "XNYS" }])).market?.name).toBe("XNYS");
  });
});
