import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CredentialHistory } from "../../../audit/credential-age";
import { byDate, type LogRow } from "../../../audit/queries";
import { renderHtml } from "../../../audit/render/html";
import { renderMarkdown } from "../../../audit/render/markdown";
import { logRow, OPTIONS, ROWS, report, SECRETS, textOf, utc } from "./example";

function credentialSpans(rows: readonly LogRow[], until: Date, from?: Date) {
  const history = new CredentialHistory(until, from);
  for (const row of rows.toSorted(byDate)) history.push(row);
  return history.spans();
}

const [database, alpaca] = report().secrets;

describe("the secrets of a report", () => {
  it("tell age, limit, and what happened in its time alone", () => {
    expect(database).toMatchObject({
      standing: "ok",
      generation: 4,
      ageDays: 58,
      daysLeft: 32,
      limitAt: "2026-10-03T09:00:00.000Z",
      longestAgeDays: 90,
      withinLimit: true,
      rotations: 3,
      failures: 1,
      rollbacks: 1,
    });
    expect(alpaca).toMatchObject({ rotations: 2, failures: 0, longestAgeDays: 100, withinLimit: false });
    expect(report().totals).toEqual({ secrets: 2, rows: 7, rotations: 5, failures: 1, rollbacks: 1 });
  });

  it("count a credential's age from when it was made, also after a rollback to it", () => {
    const until = utc("2026-07-20");
    const rows = ROWS.slice(0, 7).filter((row) => row.secretName === "database/password");
    const spans = credentialSpans(rows, until).filter((span) => span.generation === 2);
    expect(spans.map(({ madeAt, to }) => [madeAt, to])).toEqual([
      [utc("2026-04-06"), utc("2026-07-03")],
      [utc("2026-04-06"), until],
    ]);
    const adopted = credentialSpans(
      [logRow(1, "2026-01-10"), logRow(2, "2026-01-11", { action: "ROLLBACK", generation: 0 })],
      until,
    );
    expect(adopted.at(-1)?.madeAt).toEqual(utc("2026-01-10"));
  });

  it("count a key that was brought days after it was made from when it was made, and one only taken over as no rotation", () => {
    const outputs = { rotatedAt: "2026-08-20T00:00:00.000Z" };
    const adopted = logRow(1, "2026-08-23", { action: "ADOPT", generation: 0, outputs });
    const [secret] = report({}, [adopted]).secrets;
    expect(secret).toMatchObject({ madeAt: "2026-08-20T00:00:00.000Z", ageDays: 12.4, rotations: 0 });
  });

  it("claim no compliance for a credential of unknown age: the platform's own after a rollback, or one adopted by hand", async () => {
    const back = [logRow(1, "2026-08-20"), logRow(2, "2026-08-21", { action: "ROLLBACK", generation: 0 })];
    const unknown = { standing: "unknown", ageDays: null, madeAt: null, limitAt: null, withinLimit: false };
    expect(report({}, back).secrets[0]).toMatchObject({ ...unknown, inUseBefore: "2026-08-20T09:00:00.000Z" });
    const outputs = { rotatedAt: "2026-08-20T09:00:00.000Z", ageKnown: false };
    const byHand = logRow(2, "2026-08-21", { action: "ADOPT", generation: 2, outputs });
    expect(report({}, [logRow(1, "2026-08-20"), byHand]).secrets[0]).toMatchObject({
      ...unknown,
      inUseBefore: "2026-08-21T09:00:00.000Z",
    });
    expect(report({}, back).controls.some(({ supported }) => supported)).toBe(false);
    for (const page of [renderHtml(report({}, back)), renderMarkdown(report({}, back))])
      expect(await textOf(page)).toContain("unknown, in use since before 2026-08-20");
    expect(JSON.stringify(report({}, back).controls)).toContain("a credential of unknown age");
  });

  it("know a credential that was made this very moment", () => {
    const now = utc("2026-08-23");
    const options = { now, to: new Date(now.getTime() + 1) };
    const [secret] = report(options, [logRow(1, "2026-08-23")]).secrets;
    expect(secret).toMatchObject({ standing: "ok", ageDays: 0, withinLimit: true, rotations: 1 });
  });

  it("count no lease as too old, however long ago the last row was, and a password from before as ever", async () => {
    const outputs = { strategy: "vault-dynamic", leases: { maxTtlSeconds: 86_400 } };
    const moved = [logRow(1, "2026-01-10"), logRow(2, "2026-03-10", { action: "ADOPT", generation: 1, outputs })];
    const [secret] = report({}, moved).secrets;
    expect(secret).toMatchObject({
      standing: "ok",
      leaseDays: 1,
      ageDays: null,
      limitAt: null,
      longestAgeDays: 59,
      withinLimit: true,
    });
    const late = [logRow(1, "2025-11-10"), ...moved.slice(1)];
    expect(report({}, late).secrets[0]).toMatchObject({ standing: "ok", longestAgeDays: 120, withinLimit: false });
    for (const page of [renderHtml(report({}, moved)), renderMarkdown(report({}, moved))])
      expect(await textOf(page)).toContain("leases, up to 1d each");
    expect(await textOf(renderHtml(report({}, moved)))).not.toContain('class="late"');
  });

  it("do not count a rotation that failed or was taken back", () => {
    const rows = [logRow(1, "2026-05-01"), logRow(2, "2026-06-01", { status: "ROLLED_BACK" })];
    const [secret] = report({}, rows).secrets;
    expect(secret).toMatchObject({
      generation: 1,
      rotations: 1,
      rollbacks: 1,
      longestAgeDays: 123,
      standing: "overdue",
    });
  });

  it.each([
    ["2026-09-27", "ok"],
    ["2026-09-28", "warning"],
    ["2026-10-01", "alert"],
    ["2026-10-03", "alert"],
    ["2026-10-04", "overdue"],
  ])("stand on %s: %s", (date, standing) => {
    expect(report({ to: utc(date), now: utc(date) }).secrets[0]?.standing).toBe(standing);
  });

  it("say what is not known, and name secrets that only the log has", () => {
    const secrets = [{ name: "new/secret", environment: "prod", maxAgeDays: 30 }, ...SECRETS.slice(0, 1)];
    const named = report({}, ROWS, secrets).secrets;
    expect(named.map(({ name, configured, standing }) => [name, configured, standing])).toEqual([
      ["new/secret", true, "unknown"],
      ["database/password", true, "ok"],
      ["alpaca/api_key", false, "ok"],
      ["alpaca/api_key", false, "ok"],
    ]);
    expect(named[0]).toMatchObject({ withinLimit: false, maxAgeDays: 30 });
  });

  it("never overlap in time, and none is younger than its credential", () => {
    const action = fc.constantFrom("ROTATE", "ROLLBACK", "REVOKE", "MANUAL", "ADOPT");
    const status = fc.constantFrom("SUCCESS", "FAILED", "ROLLED_BACK");
    const row = fc.record({ action, status, day: fc.nat(300), generation: fc.nat(5) });
    fc.assert(
      fc.property(fc.array(row), (list) => {
        const start = utc("2026-01-01").getTime();
        const rows = list.map(({ day, ...more }, id) =>
          logRow(id, "2026-01-01", { ...more, rotationDate: new Date(start + day * 86_400_000) }),
        );
        const until = new Date(start + 200 * 86_400_000);
        const spans = credentialSpans(rows, until);
        const from = new Date(start + 100 * 86_400_000);
        expect(credentialSpans(rows, until, from).filter(({ to }) => to > from)).toEqual(
          spans.filter(({ to }) => to > from),
        );
        for (const [index, span] of spans.entries()) {
          expect(span.madeAt <= span.from && span.from <= span.to && span.to <= until).toBe(true);
          expect(span.to).toEqual(spans[index + 1]?.from ?? until);
        }
      }),
    );
  });
});

describe("the controls of a report", () => {
  const supported = (of: ReturnType<typeof report>) => of.controls.map((control) => control.supported);

  it("are supported if every secret stayed within its limit and the chain is intact", () => {
    const good = report({ from: utc("2026-08-01") });
    expect(supported(good)).toEqual([true, true, true]);
    expect(supported(report())).toEqual([false, false, false]);
    expect(report().controls[0]?.evidence).toContain("alpaca/api_key reached 100 of 90 days");
    const broken = { ...OPTIONS.chain, valid: false };
    expect(supported(report({ from: utc("2026-08-01"), chain: broken }))).toEqual([true, false, true]);
    expect(supported(report({ from: utc("2026-08-01"), chain: { ...OPTIONS.chain, guarded: false } }))[1]).toBe(false);
    expect(supported(report({}, [], []))).toEqual([false, false, false]);
  });

  it("name the runbook's number and the one in force now", () => {
    expect(report().controls[0]).toMatchObject({ framework: "PCI DSS", control: "3.6.4" });
    expect(report().controls[0]?.current).toMatch(/v4\.0\.1: 8\.6\.3 .* 8\.3\.9 .* 3\.7\.4/);
  });
});
