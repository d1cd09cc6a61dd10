import { describe, expect, it } from "vitest";
import { calendarOf } from "../../../cli/operate/calendar";
import type { SecretStatus } from "../../../cli/operate/status";

const secret = (more: Partial<SecretStatus> = {}): SecretStatus => ({
  name: "database/password",
  kind: "postgres-password",
  strategy: "alternating-users",
  store: "vault",
  standing: "ok",
  generation: 3,
  rotatedAt: "2026-11-23T09:00:00.000Z",
  ageDays: 0,
  maxAgeDays: 90,
  daysLeft: 90,
  dueAt: "2027-02-20T09:00:00.000Z",
  previous: null,
  lastRow: null,
  inUseBefore: null,
  unfinished: null,
  ...more,
});

const feed = (...secrets: SecretStatus[]) =>
  calendarOf({ stack: "prod", environment: "prod", now: "2026-11-23T10:00:00.000Z", secrets });

/** The feed's lines, unfolded. */
const lines = (text: string) => text.replaceAll(/\r\n[ \t]/g, "").split("\r\n");

const valuesOf = (text: string, name: string) =>
  lines(text).flatMap((line) => (line.startsWith(`${name}:`) ? [line.slice(name.length + 1)] : []));

describe("the calendar feed", () => {
  it("has an event from the due date to the limit, with alarms on day 85 and day 88", () => {
    const text = feed(secret());
    expect(valuesOf(text, "DTSTART")).toEqual(["20270220T090000Z"]);
    expect(valuesOf(text, "DTEND")).toEqual(["20270221T090000Z"]);
    expect(valuesOf(text, "SUMMARY")).toEqual(["Rotate database/password (prod)"]);
    // Day 89 is the due date: four days and one day before it.
    expect(valuesOf(text, "TRIGGER")).toEqual(["-P4D", "-P1D"]);
    expect(valuesOf(text, "DESCRIPTION")[0]).toContain("rotation run --stack prod");
  });

  it("names the command that brings a key, if an operator has to", () => {
    const text = feed(secret({ name: "alpaca/api_key", supply: "rotation alpaca add-key" }));
    expect(valuesOf(text, "DESCRIPTION")[0]).toContain("rotation alpaca add-key --stack prod");
  });

  it("moves an event after a rotation: the same id, a higher sequence", () => {
    const before = feed(secret());
    const after = feed(
      secret({ generation: 4, rotatedAt: "2027-02-20T09:00:00.000Z", dueAt: "2027-05-20T09:00:00.000Z" }),
    );
    expect(valuesOf(after, "UID")).toEqual(valuesOf(before, "UID"));
    expect(Number(valuesOf(after, "SEQUENCE")[0])).toBeGreaterThan(Number(valuesOf(before, "SEQUENCE")[0]));
    expect(Number(valuesOf(after, "SEQUENCE")[0])).toBeLessThan(2 ** 31);
  });

  it("tells when the credential before ends, as long as it has not ended", () => {
    const previous = { generation: 2, revoked: false, validUntil: "2026-11-24T09:00:00.000Z" };
    expect(valuesOf(feed(secret({ previous })), "DTSTART")).toEqual(["20270220T090000Z", "20261124T090000Z"]);
    expect(valuesOf(feed(secret({ previous: { ...previous, revoked: true } })), "DTSTART")).toHaveLength(1);
  });

  it("leaves out what was never taken over, and keeps to lines of 75 bytes that a calendar reads", () => {
    const text = feed(secret({ rotatedAt: null, dueAt: null, generation: null }));
    expect(valuesOf(text, "BEGIN")).toEqual(["VCALENDAR"]);
    const whole = feed(secret({ name: "analytics/a-very-long-name/that-goes-on-and-on-and-on/password" }));
    expect(whole.split("\r\n").filter((line) => Buffer.byteLength(line) > 75)).toEqual([]);
    expect(whole.endsWith("END:VCALENDAR\r\n")).toBe(true);
    expect(whole.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
  });
});
