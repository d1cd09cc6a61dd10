import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { calendarOf } from "../../../cli/operate/calendar";
import { metricsOf } from "../../../cli/operate/metrics";
import { remindersAt } from "../../../cli/operate/reminders/kinds";
import { wordsOf } from "../../../cli/operate/reminders/words";
import { needsRotation, statusOf } from "../../../cli/operate/status";
import { renderStatus } from "../../../cli/render/status";
import { parseConfig } from "../../../config";
import type { SecretState } from "../../../core/state";
import { asPulumi, configWith, type Key } from "../config/example";

/** What every command says of a secret with a calendar: one decision, so all of them agree. */

/** Made on a Tuesday; its limit is Monday, 2026-12-07 15:00 UTC, and the last window before it is on Sunday. */
const made = "2026-09-08T15:00:00.000Z";
const state: SecretState = {
  slots: [2, 3],
  active: 1,
  rotatedAt: made,
  filledAt: [made, made],
  labels: [null, null],
  usedLabels: [],
  revoked: true,
  step: { sequence: 3, action: "ROTATE", generation: 3, reason: "", at: made },
};
const weekend = { days: ["SAT", "SUN"], from: "02:00", to: "05:00", timezone: "America/New_York" };
const outputs = { "database/password": { state, store: "vault" } };

function at(time: string, ...changes: (readonly [readonly Key[], unknown])[]) {
  const outline = parseConfig(asPulumi(configWith([["window"], weekend], ...changes)), "prod");
  const now = new Date(time);
  const secrets = statusOf(outline, outputs, { rows: [] }, now);
  const [secret] = secrets;
  if (secret === undefined) throw new Error("no secret");
  const status = { stack: "prod", environment: "paper", now: now.toISOString(), secrets, logError: null };
  const reminders = remindersAt(now, { stack: "prod", outline, outputs, rows: [] });
  return { secret, status, reminders, text: stripVTControlCharacters(renderStatus(status)).replaceAll(/\s+/g, " ") };
}

const lead: readonly [Key[], unknown] = [["policy"], { lead: "8d" }];
const freeze: readonly [Key[], unknown] = [["blackouts"], "2026-10-01/2026-12-31"];

describe("a secret that waits for its window", () => {
  const { secret, status, text } = at("2026-12-02T12:00:00Z", lead);

  it("is not due: nothing can be done now, and how close its limit is stays visible", () => {
    expect(secret).toMatchObject({
      dueAt: "2026-12-05T07:00:00.000Z",
      window: { opensAt: "2026-12-05T07:00:00.000Z", closesAt: "2026-12-05T10:00:00.000Z", left: 2, alarm: null },
    });
    expect(secret.standing).toBe("ok");
    expect(needsRotation([secret])).toBe(false);
    expect(text).toContain("waits for the window SAT, SUN 02:00-05:00 America/New_York (opens 2026-12-05 02:00 EST)");
  });

  it("is due in it, a warning or an alert while it waits close to the limit, and overdue past it", () => {
    expect(at("2026-12-05T08:00:00Z", lead).secret.standing).toBe("due");
    expect(at("2026-12-05T11:00:00Z", lead).secret.standing).toBe("warning");
    expect(at("2026-12-06T11:00:00Z", lead).secret.standing).toBe("alert");
    expect(at("2026-12-07T16:00:00Z", lead)).toMatchObject({
      secret: { standing: "overdue", window: { waits: expect.stringContaining("opens 2026-12-12 02:00 EST") } },
    });
  });

  it("is in the metrics and in the feed at the time at which the window opens", async () => {
    const metrics = await metricsOf(status);
    const labels = 'stack="prod",environment="paper",secret="database/password"';
    expect(metrics).toContain(`secret_rotation_windows_left{${labels}} 2`);
    expect(metrics).toContain(`secret_rotation_next_window_timestamp_seconds{${labels}} 1796454000`);
    const feed = calendarOf(status);
    expect(feed).toContain("DTSTART:20261205T070000Z");
    expect(feed).toContain("DTEND:20261205T100000Z");
  });

  it("is announced two days before, so that the day of notice is over when the window opens", () => {
    const kinds = (time: string) => at(time).reminders.map(({ kind }) => kind);
    expect(kinds("2026-12-04T06:00:00Z")).not.toContain("planned");
    expect(kinds("2026-12-04T08:00:00Z")).toContain("planned");
    expect(at("2026-12-04T08:00:00Z").reminders.find(({ kind }) => kind === "planned")?.at).toBe(
      "2026-12-06T07:00:00.000Z",
    );
  });
});

describe("a secret without a window before its limit", () => {
  // The last one has passed, ten weeks before the limit.
  const { secret, status, text, reminders } = at("2026-10-02T00:00:00Z", freeze);

  it("raises the alarm long before in every place", async () => {
    expect(secret.window).toMatchObject({
      left: 0,
      alarm: expect.stringContaining("the next is 2027-01-02 02:00 EST"),
    });
    expect(text).toContain("ALARM: no window is left before its maximum age at 2026-12-07 10:00 EST");
    const reminder = reminders.find(({ kind }) => kind === "no-window");
    expect(reminder && wordsOf(reminder)).toMatchObject({
      title: "database/password (paper): NO WINDOW LEFT before 2026-12-07 15:00 UTC",
      text: expect.stringContaining("no window is left"),
    });
    expect(await metricsOf(status)).toMatch(/secret_rotation_windows_left\{.*\} 0/);
    expect(calendarOf(status).replaceAll(/\r\n[ \t]/g, "")).toContain(
      "SUMMARY:NO WINDOW LEFT: Rotate database/password",
    );
  });

  it("and none before that", () => {
    const before = at("2026-09-20T00:00:00Z", freeze);
    // Due in the last window before the freeze.
    expect(before.secret).toMatchObject({ dueAt: "2026-09-27T06:00:00.000Z", window: { alarm: null } });
    expect(before.reminders).toEqual([]);
  });
});

describe("a pause", () => {
  const paused = (until: string): readonly [Key[], unknown] => [["secrets", 0, "paused"], { until, reason: "audit" }];

  it("never hides that the secret is past its maximum age", async () => {
    const { secret, status, reminders } = at("2026-12-08T00:00:00Z", paused("2027-02-01"));
    expect(secret).toMatchObject({ standing: "overdue", paused: { until: "2027-02-01T05:00:00.000Z", isOver: false } });
    expect(needsRotation([secret])).toBe(true);
    expect(reminders.map(({ kind }) => kind)).toContain("overdue");
    expect(await metricsOf(status)).toMatch(/secret_rotation_paused_until_timestamp_seconds\{.*\} 1801458000/);
  });

  it("that is over is to be removed", () => {
    expect(at("2026-11-02T00:00:00Z", paused("2026-11-01")).text).toContain(
      "its pause ended at 2026-11-01 04:00 UTC (audit): remove `paused` from the config, or extend it",
    );
  });
});

it("a new pair is asked for five days before the window in which it must be there", () => {
  const pair = { label: "paper-2026-09-08", keyId: "PKTEST1", secretKey: "secret-1" };
  const outline = parseConfig(
    asPulumi(
      configWith(
        [["window"], weekend],
        [["secrets", 0], { kind: "alpaca-key", restart: ["orchestrator"] }],
        [["alpacaKeys"], { "alpaca/api_key": { current: pair } }],
        [["adopted"], {}],
        [["audit"], { host: "db.internal", name: "trader" }],
      ),
    ),
    "prod",
  );
  const on = (time: string) =>
    remindersAt(new Date(time), { stack: "prod", outline, outputs: { "alpaca/api_key": { state } }, rows: [] });
  expect(on("2026-12-01T06:00:00Z").map(({ kind }) => kind)).toEqual([]);
  const [reminder] = on("2026-12-01T08:00:00Z");
  expect(reminder && wordsOf(reminder)).toMatchObject({
    title: "alpaca/api_key (paper): a new value is needed before the window at 2026-12-06 07:00 UTC",
    command: "rotation alpaca add-key --stack prod",
  });
});

it("without a calendar nothing of it is in the status", () => {
  const { secret, text } = at("2026-10-02T00:00:00Z", [["window"], undefined]);
  expect(secret).not.toHaveProperty("window");
  expect(secret).not.toHaveProperty("paused");
  expect(text).not.toContain("window");
});
