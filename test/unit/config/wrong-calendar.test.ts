import { describe, expect, it } from "vitest";
import { configWith, type Key, problemsOf, rightSecret } from "./example";

const WEEKEND = { days: ["SAT", "SUN"], from: "02:00", to: "05:00", timezone: "America/New_York" };

describe("a calendar with one thing wrong gets one message", () => {
  const window = (more: object) => [[["window"], { ...WEEKEND, ...more }]] as const;
  const secret = (more: Record<string, unknown>) => [[["secrets", 0], rightSecret(more)]] as const;
  it.each([
    [
      window({ timezone: "New York" }),
      "window[0].timezone: expected a time zone of the IANA database, such as America/New_York or UTC",
    ],
    [window({ timezone: "-05:00" }), "window[0].timezone: expected a time zone of the IANA database"],
    [window({ to: "02:00" }), "window[0].to: expected another time than `from`, found 02:00 for both"],
    [window({ from: 120 }), 'window[0].from: expected a time in quotes, such as "02:00", found 120'],
    [window({ from: "24:00" }), 'window[0].from: expected a time in quotes, such as "02:00", found "24:00"'],
    [
      window({ to: "25:00" }),
      'window[0].to: expected a time in quotes, such as "05:00", at the most "24:00", found "25:00"',
    ],
    [
      window({ days: [] }),
      "window[0].days: expected at least one day (MON, TUE, WED, THU, FRI, SAT, SUN), found an empty list",
    ],
    [window({ days: ["Saturday"] }), "window[0].days[0]: expected one of MON, TUE, WED, THU, FRI, SAT, SUN"],
    [window({ hours: 3 }), "window[0].hours: unknown key; expected one of days, from, to, timezone"],
    [
      window({ to: "02:03" }),
      "window[0]: expected at least 4m, which a rotation may take (the time limits of its restarts), found 3m",
    ],
    [[[["window"], []]], "window: expected at least one window"],
    [[[["blackouts"], "tomorrow"]], "blackouts[0].from: expected a date such as 2026-12-24"],
    [[[["blackouts"], ["2026-02-30"]]], "blackouts[0].from: expected a date such as 2026-12-24"],
    [
      [[["blackouts"], ["2026-12-24/2026-12-20"]]],
      "blackouts[0]: expected a day not before 2026-12-24, found 2026-12-20",
    ],
    [[[["blackouts"], [{ reason: "x" }]]], "blackouts[0]: expected `from` or `file`, found neither"],
    [
      [[["blackouts"], [{ from: "2026-12-24", to: "2026-12-24T18:00:00Z" }]]],
      "blackouts[0]: expected two dates or two times, found one of each",
    ],
    [
      [[["blackouts"], [{ file: "a.ics", from: "2026-12-24" }]]],
      "blackouts[0]: expected either `file` or `from` and `to`, found both",
    ],
    [[[["market"], { exchange: "NYSE" }]], "market.exchange: expected one of XNYS, XNAS"],
    [[[["market"], { from: "09:30" }]], "market: expected `exchange` (one of XNYS"],
    [secret({ paused: { until: "soon", reason: "x" } }), "secrets[0].paused.until: expected a date such as 2026-12-24"],
    [secret({ paused: { until: "2027-01-01" } }), "secrets[0].paused.reason: expected a reason, found nothing"],
    [[[["policy"], { jitter: "90d" }]], "policy.jitter: expected less than maxAge"],
    [secret({ policy: { maxAge: "8d", jitter: "7d" } }), "secrets[0].policy.jitter: expected less than maxAge"],
  ] as const)("%j", (changes, message) => {
    const problems = problemsOf(configWith(...(changes as never as [readonly Key[], unknown][])));
    expect(problems).toHaveLength(1);
    expect(problems[0]?.startsWith(message), `${problems[0]}`).toBe(true);
  });

  it("logins that end by themselves have none", () => {
    const dynamic = rightSecret({
      strategy: "vault-dynamic",
      vault: {},
      window: WEEKEND,
      paused: { until: "2027-01-01", reason: "x" },
    });
    expect(
      problemsOf(configWith([["secrets", 0], dynamic])).filter((line) => line.includes("rotated by age")),
    ).toHaveLength(2);
  });
});
