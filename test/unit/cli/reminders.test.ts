import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LogRow } from "../../../cli/operate/audit-log";
import { mailText } from "../../../cli/operate/events/mail";
import { slackBody } from "../../../cli/operate/events/slack";
import { remindersAt } from "../../../cli/operate/reminders/kinds";
import { messageOf } from "../../../cli/operate/reminders/words";
import type { Outline } from "../../../cli/operate/settings";
import { DEFAULT_POLICY } from "../../../core/policy";
import type { SecretState } from "../../../core/state";

const START = Date.parse("2026-01-01T00:00:00Z");
const DAY = 86_400_000;
const outline = {
  environment: "prod",
  policy: DEFAULT_POLICY,
  secrets: [{ name: "database/password", kind: "postgres-password", strategy: "alternating-users" }],
} as unknown as Outline;

const state = (more: Partial<SecretState> = {}): SecretState => ({
  slots: [2, 1],
  active: 0,
  rotatedAt: new Date(START).toISOString(),
  filledAt: [new Date(START).toISOString(), null],
  labels: [null, null],
  usedLabels: [],
  revoked: true,
  step: { sequence: 3, action: "REVOKE", generation: 1, reason: "", at: new Date(START + DAY).toISOString() },
  ...more,
});

const remindersOn = (days: number, { state: given = state(), ...more }: Given = {}) =>
  remindersAt(new Date(START + days * DAY), {
    stack: "prod",
    outline,
    outputs: { "database/password": { state: given } },
    rows: [],
    ...more,
  });

type Given = Partial<Parameters<typeof remindersAt>[1]> & { readonly state?: SecretState };

const kindsAt = (days: number, given = state(), rows: LogRow[] = []) =>
  remindersOn(days, { state: given, rows }).map(({ kind }) => kind);

describe("reminders, and when they are sent", () => {
  it("nothing of age if each login ends by itself, but that a rotation failed", () => {
    const leased = {
      ...outline,
      secrets: [{ ...outline.secrets[0], strategy: "vault-dynamic" }],
    } as unknown as Outline;
    const at = (days: number, rows: LogRow[] = []) => remindersOn(days, { outline: leased, rows });
    for (const days of [85, 88, 89, 90.5, 400]) expect(at(days)).toEqual([]);
    const failed = { id: 9, secretName: "database/password", environment: "prod", status: "FAILED", reason: "sealed" };
    const row = { ...failed, rotationDate: new Date(START + 2 * DAY) } as unknown as LogRow;
    expect(at(3, [row]).map(({ kind }) => kind)).toEqual(["failed"]);
  });

  it("day 85, day 88, a day before the planned rotation, and past the maximum", () => {
    expect(kindsAt(84.99)).toEqual([]);
    expect(kindsAt(85)).toEqual(["warning"]);
    expect(kindsAt(88)).toEqual(["alert", "planned"]);
    expect(kindsAt(89)).toEqual(["alert"]);
    expect(kindsAt(90)).toEqual(["alert"]);
    expect(kindsAt(90.01)).toEqual(["overdue"]);
  });

  it("the end of a grace period that no run has carried out yet", () => {
    const rotated = state({
      revoked: false,
      step: { ...state().step, action: "ROTATE", at: new Date(START).toISOString() },
    });
    expect(kindsAt(0.9, rotated)).toEqual([]);
    expect(kindsAt(1, rotated)).toEqual(["grace-over"]);
  });

  it("a login that is still in use when its grace period is over: each day, with its users, up to the limit", () => {
    const rotated = state({
      revoked: false,
      step: { ...state().step, action: "ROTATE", at: new Date(START).toISOString() },
    });
    const told = (days: number, users: string | undefined) =>
      remindersOn(days, { state: rotated, inUse: { "database/password": users } }).map(({ kind, day, reason }) => [
        kind,
        day,
        reason,
      ]);
    const users = "nightly-reconcile from 10.0.0.7";
    expect(told(1.1, users)).toEqual([["in-use", new Date(START + 1.1 * DAY).toISOString().slice(0, 10), users]]);
    expect(told(6.9, users)[0]?.[0]).toBe("in-use");
    expect(told(7, users)[0]?.[0]).toBe("grace-over");
    expect(told(1.1, undefined)[0]?.[0]).toBe("grace-over");
  });

  it("a failure since the last step, and none that a later success has made up for", () => {
    const row = (status: string, days: number, id: number) =>
      ({
        id,
        secretName: "database/password",
        environment: "prod",
        status,
        rotationDate: new Date(START + days * DAY),
        reason: "x",
      }) as LogRow;
    expect(kindsAt(50, state(), [row("FAILED", 40, 9)])).toEqual(["failed"]);
    expect(kindsAt(50, state(), [row("FAILED", 40, 9), row("SUCCESS", 41, 10)])).toEqual([]);
    expect(kindsAt(50, state(), [row("FAILED", 0.5, 1)])).toEqual([]);
  });

  it("never two of the age's kinds at once, and never fewer as time goes on without one", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 200, noNaN: true }), (days) => {
        const age = kindsAt(days).filter((kind) => ["warning", "alert", "overdue"].includes(kind));
        expect(age.length).toBe(days >= 85 ? 1 : 0);
      }),
    );
  });

  it("in words that name secret, environment and command, for Slack and for mail", () => {
    const [reminder] = remindersOn(85);
    if (reminder === undefined) throw new Error("expected a reminder");
    const slack = JSON.stringify(slackBody(messageOf(reminder)));
    for (const text of [slack, mailText(messageOf(reminder))]) {
      expect(text).toContain("database/password (prod)");
      expect(text).toContain("rotation run --stack prod");
      expect(text).toContain("2026-04-01 00:00 UTC");
    }
    expect(JSON.parse(slack).blocks[0].type).toBe("header");
  });
});
