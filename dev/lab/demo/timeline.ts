import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Stack } from "../stack";

/** One part of a rotation and when it finished. */
export interface Phase {
  readonly name: string;
  /** Seconds since the part before. */
  readonly seconds: number;
  /** Epoch milliseconds. */
  readonly doneAt: number;
}

interface Resource {
  readonly urn: string;
  readonly modified?: string;
  readonly created?: string;
}

/** The end of a resource's name, and its label. */
const PHASES: readonly (readonly [RegExp, string])[] = [
  [/preflight-checks$/, "preflight"],
  [/slot-[ab]-password$/, "new password"],
  [/role(-[ab])?$|login(-[ab])?-set$/, "role"],
  [/verify-login$/, "login"],
  [/store-unchanged$/, "store unchanged"],
  [/store-write$/, "store"],
  [/verify-alpaca$/, "proof by Alpaca"],
  [/dry-run$/, "dry run"],
  [/restart-.+$/, "restart"],
  [/confirm-login$/, "login again"],
  [/store-mark$/, "marks"],
  [/audit-row$/, "audit row"],
];

/** What an update did to a secret in its last `seconds`, from the times the engine wrote into the state. */
export async function timeline(stack: Stack, secret: string, startedAt: number, seconds: number): Promise<Phase[]> {
  const file = join(stack.stateDir, ".pulumi", "stacks", "secret-rotation", `${stack.name}.json`);
  const { checkpoint } = JSON.parse(await readFile(file, "utf8")) as {
    checkpoint: { latest: { resources: Resource[] } };
  };
  const prefix = `${secret.replaceAll("/", "-")}-`;
  const done = checkpoint.latest.resources
    .map(({ urn, modified, created }) => ({
      name: urn.split("::").at(-1) ?? "",
      at: Date.parse(modified ?? created ?? ""),
    }))
    .filter(({ name, at }) => name.startsWith(prefix) && at >= startedAt)
    .map(({ name, at }) => ({ name: labelOf(name), at }))
    .filter((phase): phase is { name: string; at: number } => phase.name !== undefined)
    .sort((a, b) => a.at - b.at);
  // The first part begins with the secret, not with the update: the engine's start is not the preflight's.
  const began = (done.at(-1)?.at ?? startedAt) - seconds * 1000;
  const since = (index: number) => done[index - 1]?.at ?? began;
  return done.map(({ name, at }, index) => ({ name, doneAt: at, seconds: Math.max(0, at - since(index)) / 1000 }));
}

function labelOf(resource: string): string | undefined {
  const label = PHASES.find(([pattern]) => pattern.test(resource))?.[1];
  return label === "restart" ? resource.replace(/^.*-restart-/, "restart ") : label;
}
