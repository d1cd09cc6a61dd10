import { expect } from "vitest";
import type { PulumiResult } from "../../dev/lab/stack";
import type { Bench } from "./harness";
import { labSecrets, leaksIn, slotSecrets } from "./leak-support";

/** One line of a preview: `replace database-password-slot-a-password [keepers]`; the properties are sorted. */
export type PreviewLine = string;

interface Step {
  readonly op: string;
  readonly urn: string;
  readonly diffReasons?: readonly string[];
}

/** Everything a `pulumi preview` would do, by resource; nothing of what stays as it is. Checks that it succeeds. */
export async function previewed({ stack }: Bench, ...args: string[]): Promise<PreviewLine[]> {
  const { exitCode, stdout, stderr } = await stack.pulumi(["preview", "--json", ...args]);
  expect(exitCode, stdout + stderr).toBe(0);
  const { steps } = JSON.parse(stdout) as { steps: Step[] };
  return steps
    .filter(({ op }) => op !== "same" && op !== "read")
    .map(({ op, urn, diffReasons = [] }) => `${op} ${urn.split("::").at(-1)} [${diffReasons.toSorted().join(" ")}]`);
}

/** How often a service was restarted so far, over all hosts. */
export const restartsOf = ({ lab }: Bench): number => lab.hosts.reduce((sum, host) => sum + host.restarts.length, 0);

const CHANGED = [
  "update database-password-preflight-checks [environment stdin]",
  "replace database-password-slot-a-password [keepers]",
  "update database-password-verify-login [environment stdin]",
  "update database-password-restart-signal-service-trading-1 [environment stdin]",
  "update database-password-restart-orchestrator-trading-1 [environment stdin]",
  "update database-password-store-write [environment stdin]",
  "update database-password-store-mark [stdin]",
  "update database-password-confirm-login [environment stdin]",
  "update database-password-audit-row [environment stdin]",
];

const UPDATED = {
  "alternating-users": [
    "update database-password-login-a []",
    "update database-password-login-a-set [environment stdin]",
    // Generation 0 has left the slots: the platform's own role loses its login.
    "update database-password-login []",
    "update database-password-login-set [stdin]",
  ],
  "single-user": [
    "update database-password-login []",
    "update database-password-login-set [environment stdin]",
    "update database-password-store-unchanged [environment stdin]",
  ],
};

/**
 * The preview of the rotation that is due after the adoption: it names one slot, its role and secret, each restart and the
 * audit record, and no value. @param shown `pulumi preview --diff`
 */
export async function previewsRotation(
  bench: Bench,
  strategy: keyof typeof UPDATED,
  shown: () => Promise<PulumiResult>,
): Promise<void> {
  const names = await previewed(bench);
  expect([...names].sort()).toEqual([...CHANGED, ...UPDATED[strategy]].sort());
  const { stdout, stderr } = await shown();
  expect(stdout.match(/~ generation: "0" => "2"/g)).toHaveLength(1);
  expect(stdout + stderr).toContain("database/password: rotates from generation 1 to 2 (due by age)");
  const value = /^\s+[~+-]? ?(password|result|bcryptHash|base64|hex|privateKey)\s*: (.*)$/gm;
  const values = [...stdout.matchAll(value)].map(([, , text]) => text);
  expect(values.length).toBeGreaterThan(1);
  for (const text of values) expect(text).toMatch(/^\[secret\]( => \[secret\])?$/);
  expect(leaksIn(stdout + stderr, { ...labSecrets(bench), ...(await slotSecrets(bench)) })).toEqual([]);
}
