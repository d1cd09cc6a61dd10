import { describe, expect, it } from "vitest";
import { lastRuns } from "../../../cli/operate/last-run";
import type { StackStatus } from "../../../cli/operate/read-status";
import { renderStatusPage } from "../../../cli/render/status-page";
import { examplePage, runOf } from "./status-page-example";

const page = examplePage();
const of = (name: string) => page.secrets.find((secret) => secret.name === name);

describe("the operator's page", () => {
  it("says what to do now, each with one command", () => {
    expect(page.secrets.map(({ name, standing, now }) => [name, standing, now?.command])).toEqual([
      ["database/password", "warning", undefined],
      // Past its maximum age, and the pause does not hide it.
      ["reports/password", "overdue", expect.stringMatching(/^rotation run reports\/password --stack prod/)],
      // Failed, and no window is left.
      ["risk/password", "failed", expect.stringMatching(/^rotation diagnose --stack prod/)],
      ["ledger/password", "ok", undefined],
      ["archive/password", "new", expect.stringMatching(/^rotation run --stack prod/)],
    ]);
    expect(of("reports/password")).toMatchObject({
      paused: { isOver: false, reason: "migration of the reports" },
      window: { waits: expect.stringContaining("the end of its pause"), opens: "2026-12-20 02:00 EST" },
    });
    expect(of("risk/password")?.window).toMatchObject({ left: 0, alarm: expect.stringContaining("no window is left") });
  });

  it("names the services and hosts of each secret, and its last run step by step", () => {
    expect(of("ledger/password")?.readers).toEqual([
      { service: "signal-service", hosts: ["trading-1", "trading-2"] },
      { service: "orchestrator", hosts: ["trading-1"] },
      { service: "execution-gateway", hosts: [] },
    ]);
    const steps = of("ledger/password")?.lastRun ?? [];
    expect(steps.map(({ phase }) => phase)).toEqual([
      ...["preflight", "new value", "database", "verify", "store"],
      ...["restart", "restart", "restart", "restart", "audit"],
    ]);
    expect(steps.every(({ done }) => done)).toBe(true);
    expect(steps[6]).toMatchObject({ text: "restarting signal-service on trading-2", at: "2026-12-02T07:00:46.000Z" });
    expect(of("archive/password")?.lastRun).toEqual([]);
  });

  it("shows where an interrupted run stopped, and not when settings changed later", () => {
    const outline = {
      secrets: [{ name: "ledger/password" }],
      services: { "signal-service": { hosts: ["trading-1", "trading-2"] }, orchestrator: { hosts: ["trading-1"] } },
    } as never;
    const stopped = lastRuns(runOf("ledger-password", "2026-11-29", false), outline)["ledger/password"] ?? [];
    expect(stopped.filter(({ done }) => !done).map(({ text }) => text)).toHaveLength(3);
    expect(stopped.at(-1)?.phase).toBe("restart");
    const later = runOf("ledger-password", "2026-11-29").map((one) =>
      one.urn.endsWith("orchestrator-trading-1") ? { ...one, modified: "2026-11-30T00:00:00Z" } : one,
    );
    const found = lastRuns(later, outline)["ledger/password"]?.find(({ text }) => text.includes("orchestrator"));
    expect(found).toMatchObject({ done: true, at: null });
  });

  it("has no script, no form, no request, and escapes all that others have written", () => {
    const reason = `<script>alert(1)</script> "quoted" & 'so'`;
    const text = renderStatusPage(examplePage({ reason }));
    expect(text).not.toMatch(/<script|<form|<input|<button|javascript:|\son\w+=|https?:\/\//i);
    expect(text).toContain("default-src 'none'");
    expect(renderStatusPage(page)).toContain("preflight: trading-2 does not answer");
    expect(text).toContain("December 2026");
    expect(text).toContain('<li class="soft">trading-2</li>');
  });

  it("says how many rows of the audit log are not countersigned, and which command notes them", () => {
    const command = "rotation evidence anchor --stack prod";
    const shown = (countersigned: StackStatus["countersigned"]) =>
      renderStatusPage({ ...page, ...(countersigned === undefined ? {} : { countersigned }) });
    const open = shown({ to: 7, open: 1, failed: {}, command });
    expect(open).toContain("Audit log: 1 row not countersigned yet: whoever rewrites it is not found. ");
    expect(open).toContain(`<code>${command}</code> notes the end of the log.`);
    for (const none of [undefined, { to: 8, open: 0, failed: {}, command }])
      expect(shown(none)).not.toContain("Audit log:");
    expect(shown({ places: ["bucket", "tags"], command: "rotation audit verify --stack prod" })).toContain(
      "is in bucket, tags, which is not asked for a status; <code>rotation audit verify --stack prod</code> does.",
    );
  });

  it("says so if nothing has to be done", () => {
    const calm = { ...page, secrets: page.secrets.filter(({ name }) => name === "ledger/password") };
    expect(renderStatusPage(calm)).toContain("Nothing has to be done.");
  });
});
