import { describe, expect, it } from "vitest";
import { type LoginUse, useWords } from "../../../core/login-use";

const session = (application: string, more: Partial<Extract<LoginUse, { kind: "session" }>> = {}): LoginUse => ({
  kind: "session",
  application,
  client: "10.0.0.7",
  since: "2026-11-24T02:10:31.000Z",
  ...more,
});

describe("who uses a login, in words", () => {
  it("names application, client and since when; mapping and job", () => {
    const uses: LoginUse[] = [
      session("nightly-reconcile"),
      session("", { client: "a local socket", since: null }),
      session("psql", { client: null, since: null }),
      { kind: "mapping", server: "ledger", mappedFor: "reporter" },
      { kind: "job", scheduler: "pg_cron", name: "vacuum positions" },
    ];
    expect(useWords(uses)).toBe(
      "nightly-reconcile from 10.0.0.7 since 2026-11-24 02:10 UTC; a session without application_name from a local socket; " +
        "psql from an address that only pg_read_all_stats may see; the user mapping of reporter for the foreign server ledger; " +
        'job "vacuum positions" of pg_cron',
    );
  });

  it("is empty for nobody, names the same user once, and cuts a long list", () => {
    expect(useWords([])).toBe("");
    expect(useWords([session("a"), session("a")])).toBe(useWords([session("a")]));
    const many = Array.from({ length: 8 }, (_, i) => session(`app-${i}`));
    expect(useWords(many)).toBe(`${useWords(many.slice(0, 5))}; and 3 more`);
    expect(useWords(many.slice(0, 5))).toMatch(/app-4 from 10.0.0.7 since 2026-11-24 02:10 UTC$/);
  });
});
