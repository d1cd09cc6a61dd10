import { expect } from "vitest";
import type { Bench } from "./harness";

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
