import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { timedEvents } from "../../../cli/operate/events/timers";
import { remindersAt } from "../../../cli/operate/reminders/kinds";
import type { Outline } from "../../../cli/operate/settings";
import { eventData } from "../../../core/events";
import { DEFAULT_POLICY } from "../../../core/policy";
import type { SecretState } from "../../../core/state";

const START = Date.parse("2026-01-01T00:00:00Z");
const DAY = 86_400_000;
const NAME = "database/password";
const outline = {
  ...{ environment: "prod", policy: DEFAULT_POLICY, events: {} },
  secrets: [{ name: NAME, kind: "postgres-password", strategy: "alternating-users" }],
} as unknown as Outline;

const at = new Date(START).toISOString();
const state: SecretState = {
  ...{ slots: [2, 1], active: 0, rotatedAt: at, filledAt: [at, null], labels: [null, null], usedLabels: [] },
  ...{ revoked: true, step: { sequence: 3, action: "REVOKE", generation: 1, reason: "", at } },
};

function eventsOn(days: number) {
  const now = new Date(START + days * DAY);
  const about = { stack: "prod", outline, outputs: { [NAME]: { state } } };
  return timedEvents(now, { ...about, reminders: remindersAt(now, { ...about, rows: [] }), resources: [] });
}

const typesOn = (days: number) => eventsOn(days).map(({ type }) => type);

describe("the events of the timer", () => {
  it("are those of the reminders, and `due` from the moment on when the next run rotates", () => {
    expect(typesOn(84)).toEqual([]);
    expect(typesOn(85)).toEqual(["warning"]);
    expect(typesOn(88)).toEqual(["alert", "planned"]);
    expect(typesOn(89)).toEqual(["alert", "due"]);
    expect(typesOn(90.5)).toEqual(["overdue"]);
  });

  it("have an occasion that stays the same however often the timer runs, and data as the schema says", () => {
    const days = fc.double({ min: 85, max: 200, noNaN: true });
    fc.assert(
      fc.property(days, days, (one, two) => {
        const [first, second] = [eventsOn(one), eventsOn(two)];
        for (const { data } of first) expect(eventData.safeParse(data).error).toBeUndefined();
        for (const { type, occasion } of first)
          for (const other of second.filter((event) => event.type === type)) expect(other.occasion).toBe(occasion);
        expect(new Set(first.map(({ occasion }) => occasion)).size).toBe(first.length);
      }),
    );
  });
});
