import { describe, expect, it } from "vitest";
import { setDay, up, useBench } from "./harness";
import { labSecrets, leaksIn, slotSecrets } from "./leak-support";
import { previewed } from "./preview-support";

const REPLACED = [
  "replace database-password-preflight-checks [stdin triggers]",
  "replace database-password-slot-a-password [keepers]",
  "replace database-password-slot-a-salt [keepers]",
  "replace database-password-verify-login [stdin triggers]",
  "replace database-password-restart-signal-service-trading-1 [stdin triggers]",
  "replace database-password-restart-orchestrator-trading-1 [stdin triggers]",
  "replace database-password-store-unchanged [stdin triggers]",
  "replace database-password-confirm-login [stdin triggers]",
  "replace database-password-audit-row [stdin triggers]",
];

const UPDATED = {
  "alternating-users": [
    "replace database-password-copy-role [stdin triggers]",
    "update database-password-login-a []",
    "replace database-password-login-a-set [stdin triggers]",
    "update database-password-database-username [stdin]",
    "update database-password-database-username-metadata [stdin]",
    "update database-password-database-password [stdin]",
    "update database-password-database-password-metadata [stdin]",
    // Generation 0 has left the slots: the platform's own role loses its login.
    "update database-password-login []",
    "update database-password-login-set [stdin]",
  ],
  "single-user": [
    "update database-password-login []",
    "replace database-password-login-set [stdin triggers]",
    "update database-password-database-password [stdin]",
    "update database-password-database-password-metadata [stdin]",
  ],
};

describe.each(["alternating-users", "single-user"] as const)("the preview of a due rotation, %s", (strategy) => {
  const bench = useBench({ strategies: { "database/password": strategy } });

  it("names one slot, its role and secret, each restart and the audit record, and no value", async () => {
    await up(bench());
    await setDay(bench(), 89);
    const names = await previewed(bench());
    expect([...names].sort()).toEqual([...REPLACED, ...UPDATED[strategy]].sort());

    const { stdout, stderr, exitCode } = await bench().stack.pulumi(["preview", "--diff"]);
    expect(exitCode).toBe(0);
    expect(stdout.match(/~ generation: "0" => "2"/g)).toHaveLength(2);
    expect(stdout + stderr).toContain("database/password: rotates from generation 1 to 2 (due by age)");
    const value = /^\s+[~+-]? ?(password|result|bcryptHash|base64|hex|privateKey)\s*: (.*)$/gm;
    const shown = [...stdout.matchAll(value)].map(([, , text]) => text);
    expect(shown.length).toBeGreaterThan(1);
    for (const text of shown) expect(text).toMatch(/^\[secret\]( => \[secret\])?$/);
    expect(leaksIn(stdout + stderr, { ...labSecrets(bench()), ...(await slotSecrets(bench())) })).toEqual([]);
  });
});
