import { describe, expect, it } from "vitest";
import type { Blackout } from "../../../core/calendar";
import { dueAt } from "../../../core/deadlines";
import type { DecideInputs } from "../../../core/decide";
import { parseDuration } from "../../../core/duration";
import { describePlan } from "../../../core/plan";
import { DEFAULT_POLICY } from "../../../core/policy";
import { outlookOf, pauseOver } from "../../../core/waiting";
import { WEEK } from "../../../core/wall-clock";
import { decideAt, made, policyWith, rulesOf, settled, WEEKEND } from "./window-inputs";

const at = (time: string, policy = policyWith(), more: Partial<DecideInputs> = {}) =>
  decideAt(time, policy, settled, more);

describe("a rotation by age", () => {
  it("waits for the window, and the plan says when that opens", () => {
    // Due from 2026-12-06 15:00 on; the last window before the limit is on that Sunday at 02:00.
    expect(dueAt(settled, policyWith()).toISOString()).toBe("2026-12-06T07:00:00.000Z");
    expect(at("2026-12-04T12:00:00Z")).toMatchObject({ action: undefined, reason: "nothing is due" });
    expect(at("2026-12-06T07:00:00Z")).toMatchObject({ action: "ROTATE", reason: "due by age" });
    expect(at("2026-12-06T07:00:00Z").state).toMatchObject({
      byAge: true,
      window: { until: "2026-12-06T10:00:00.000Z" },
    });
    const early = policyWith({}, { lead: parseDuration("8d") });
    expect(describePlan(at("2026-12-02T12:00:00Z", early))).toBe(
      "a/b: stays at generation 1 (waits for the window SAT, SUN 02:00-05:00 America/New_York (opens 2026-12-05 02:00 EST))",
    );
    expect(at("2026-12-05T08:30:00Z", early)).toMatchObject({ action: "ROTATE" });
  });

  it("does not begin in the last minutes of a window", () => {
    const policy = policyWith({}, { lead: parseDuration("8d") });
    expect(at("2026-12-05T09:53:00Z", policy).action).toBe("ROTATE");
    expect(at("2026-12-05T09:53:01Z", policy)).toMatchObject({
      action: undefined,
      waits:
        "waits for the window SAT, SUN 02:00-05:00 America/New_York: this one ends at 2026-12-05 05:00 EST, and a rotation may take 7m (opens 2026-12-06 02:00 EST)",
    });
  });

  it("waits for the end of a blackout, of a pause, and for the market to close", () => {
    const days: Blackout = { kind: "days", from: "2026-12-05", to: "2026-12-05", reason: "Q4 earnings" };
    const early = { lead: parseDuration("8d") };
    expect(at("2026-12-05T08:00:00Z", policyWith({ blackouts: [days] }, early)).waits).toBe(
      "waits for the end of the blackout Q4 earnings (opens 2026-12-06 02:00 EST)",
    );
    const paused = { until: Date.parse("2026-12-06T00:00:00Z"), reason: "release" };
    expect(at("2026-12-05T08:00:00Z", policyWith({ paused }, early)).waits).toBe(
      "waits for the end of its pause until 2026-12-05 19:00 EST (release) (opens 2026-12-06 02:00 EST)",
    );
    const market = {
      ...WEEKEND,
      name: "XNYS",
      days: WEEK.slice(0, 5),
      from: "09:30",
      to: "16:00",
      holidays: [],
      shortDays: {},
    };
    expect(at("2026-12-04T15:00:00Z", policyWith({ windows: [], market }, early)).waits).toBe(
      "waits for XNYS to close at 2026-12-04 16:00 EST (opens 2026-12-04 16:00 EST)",
    );
  });

  it("is carried out at any time without a calendar, and leaves no trace of one in the state", () => {
    const { state } = at("2026-12-07T12:00:00Z", DEFAULT_POLICY);
    expect(state.byAge).toBe(true);
    expect(state).not.toHaveProperty("window");
  });
});

describe("what does not wait", () => {
  const request = { id: "r", secret: "a/b", rotate: true as const, reason: "asked" };

  it("a request, which says so", () => {
    const decided = at("2026-10-01T12:00:00Z", policyWith(), { request });
    expect(decided).toMatchObject({ action: "ROTATE", mode: "rotation" });
    expect(describePlan(decided)).toBe(
      "a/b: rotates from generation 1 to 2 (asked; does not wait, though outside the window SAT, SUN 02:00-05:00 America/New_York (opens 2026-10-03 02:00 EDT))",
    );
    const paused = policyWith({ paused: { until: Date.parse("2027-01-01"), reason: "audit" } });
    expect(at("2026-10-01T12:00:00Z", paused, { request: { ...request, emergency: true } })).toMatchObject({
      action: "ROTATE",
      mode: "emergency",
      state: { window: { passedOver: expect.stringContaining("paused until 2026-12-31 19:00 EST (audit)") } },
    });
  });

  it("a rollback, the end of a grace period, the first update", () => {
    const rollback = { id: "r", secret: "a/b", activate: 0, reason: "orders fail" };
    const back = decideAt("2026-09-09T12:00:00Z", policyWith(), made, { request: rollback });
    expect(back).toMatchObject({ action: "ROLLBACK", reason: "orders fail" });
    expect(decideAt("2026-09-10T12:00:00Z", policyWith(), made)).toMatchObject({ action: "REVOKE" });
    expect(decideAt("2026-09-08T12:00:00Z", policyWith(), undefined)).toMatchObject({ action: "ADOPT" });
  });

  it("what was begun, which is finished outside of the window", () => {
    const begun = at("2026-12-06T07:00:00Z").state;
    const decided = at("2026-12-07T12:00:00Z", policyWith(), { recorded: begun });
    expect(decided).toMatchObject({ action: "ROTATE", resumes: true, to: 2 });
    expect(decided.reason).toBe(
      "due by age; finishes what an interrupted update had begun, though outside the window SAT, SUN 02:00-05:00 America/New_York",
    );
  });

  it("a password that Vault has rotated already; its own rotation by age does", () => {
    const seen = (rotation: string) => ({
      rules: rulesOf({ kind: "postgres-password", strategy: "vault-static" }, { rotation }),
    });
    const first = decideAt("2026-09-08T15:00:00Z", DEFAULT_POLICY, undefined, seen("2026-09-08T15:00:00Z")).state;
    const known = { ...first, vaultRotation: "2026-09-08T15:00:00Z" };
    expect(decideAt("2026-10-01T12:00:00Z", policyWith(), known, seen("2026-10-01T11:00:00Z"))).toMatchObject({
      action: "ROTATE",
      reason: expect.stringContaining("rotated by Vault"),
    });
    const due = decideAt("2026-12-07T12:00:00Z", policyWith(), known, seen("2026-09-08T15:00:00Z"));
    expect(due).toMatchObject({ action: undefined, waits: expect.stringContaining("waits for the window") });
  });
});

it("a new key waits, whatever the age of the old one, while a request for it does not", () => {
  const pair = (label: string) => ({ label, keyId: "", secretKey: "" });
  const keys = (current: string) => ({ "a/b": { current: pair(current), previous: pair("old-2026-09-01") } });
  const rules = rulesOf({ kind: "alpaca-key" }, {}, keys("new-2026-10-01"));
  const first = decideAt("2026-09-08T15:00:00Z", DEFAULT_POLICY, undefined, {
    rules: rulesOf({ kind: "alpaca-key" }, {}, { "a/b": { current: pair("old-2026-09-01") } }),
  }).state;
  expect(decideAt("2026-10-01T12:00:00Z", policyWith(), first, { rules })).toMatchObject({
    action: undefined,
    waits: expect.stringContaining("opens 2026-10-03 02:00 EDT"),
  });
  expect(decideAt("2026-10-03T06:00:00Z", policyWith(), first, { rules })).toMatchObject({
    action: "ROTATE",
    state: { window: { until: "2026-10-03T09:00:00.000Z" } },
  });
  const request = { id: "r", secret: "a/b", rotate: true as const, reason: "now" };
  expect(decideAt("2026-10-01T12:00:00Z", policyWith(), first, { rules, request }).action).toBe("ROTATE");
});

describe("the outlook", () => {
  it("says long before that no window is left, and what to do", () => {
    const freeze: Blackout = { kind: "days", from: "2026-09-09", to: "2027-01-05" };
    const outlook = outlookOf(settled, policyWith({ blackouts: [freeze] }), new Date("2026-09-20T00:00:00Z"));
    expect(outlook).toMatchObject({ left: 0, waits: undefined });
    expect(outlook?.alarm).toBe(
      "no window is left before its maximum age at 2026-12-07 10:00 EST: the next is 2027-01-09 02:00 EST. Add a window, shorten a blackout or a pause, or name it in `rotation run`, which waits for no window",
    );
    expect(outlookOf(settled, policyWith(), new Date("2026-12-06T07:00:00Z"))).toMatchObject({
      left: 1,
      alarm: undefined,
    });
    expect(outlookOf(settled, DEFAULT_POLICY, new Date())).toBeUndefined();
  });

  it("takes the last opening before a freeze, however long it is", () => {
    const freeze: Blackout = { kind: "days", from: "2026-11-20", to: "2027-01-05" };
    const policy = policyWith({ windows: [], blackouts: [freeze] });
    expect(dueAt(settled, policy).toISOString()).toBe("2026-11-19T04:53:00.000Z");
    expect(at("2026-11-19T05:00:00Z", policy).action).toBe("ROTATE");
  });

  it("does not rotate again in the opening in which it was made", () => {
    const only: Blackout = { kind: "days", from: "2026-09-12", to: "2027-06-01" };
    const policy = policyWith({ windows: [], blackouts: [only] });
    const again = decideAt("2026-09-11T20:00:00Z", policy, settled).state;
    const settledAgain = { ...again, revoked: true };
    expect(decideAt("2026-09-12T03:00:00Z", policy, settledAgain).action).toBeUndefined();
  });

  it("warns of a pause that is over", () => {
    const policy = policyWith({ paused: { until: Date.parse("2026-12-01T05:00:00Z"), reason: "audit" } });
    expect(pauseOver("a/b", policy, new Date("2026-12-02"))).toContain("ended at 2026-12-01 00:00 EST (audit)");
    expect(pauseOver("a/b", policy, new Date("2026-11-30"))).toBeUndefined();
  });
});
