import { keptLogin, seeOldLogins } from "../components/old-logins";
import { isLeased, isRotatedByVault, policyOf, type SecretConfig } from "../config";
import { graceIsOver, graceLimitAt } from "../rotation/next-state";
import { definitionChanged } from "./lease-facts";
import { readOutputs } from "./outputs";
import { secretsNamed } from "./preflight";
import type { Project } from "./project";
import { clockOf, type Outline, readOutline, readRequest } from "./settings";
import { needsRotation, statusOf } from "./status";
import { unseenRotation } from "./vault-facts";

/** Something that an update would do now. */
export interface Due {
  readonly secret: string;
  readonly why: "rotation" | "rotated by Vault" | "definition changed" | "grace period over" | "request";
}

/** What is due, and what would be but for somebody who still uses a login. */
export interface WhatIsDue {
  readonly due: readonly Due[];
  /** Old logins that are kept, who uses them and until when, in words. */
  readonly kept: readonly string[];
}

/**
 * What an update would do now to the named secrets, or to all, without asking the engine.
 * @throws ConfigError, UsageError
 */
export async function whatIsDue(project: Project, names: readonly string[]): Promise<WhatIsDue> {
  const [outline, outputs, request] = await Promise.all([
    readOutline(project),
    readOutputs(project),
    readRequest(project),
  ]);
  const now = clockOf(outline);
  const statuses = new Map(statusOf(outline, outputs, [], now).map((status) => [status.name, status]));
  const wanted = secretsNamed(outline, names);
  const rotated = await rotatedByVault(outline, wanted, outputs);
  const inUse = await seeOldLogins(outline, outputs, now);
  const due = wanted.flatMap((secret): Due[] => {
    const state = outputs[secret.name]?.state;
    const status = statuses.get(secret.name);
    if (status !== undefined && needsRotation([status])) return [{ secret: secret.name, why: "rotation" }];
    if (request?.secret === secret.name && request.id !== state?.handledRequest) {
      return [{ secret: secret.name, why: "request" }];
    }
    if (rotated.includes(secret.name)) return [{ secret: secret.name, why: "rotated by Vault" }];
    if (isLeased(secret) && state !== undefined && definitionChanged(secret, state)) {
      return [{ secret: secret.name, why: "definition changed" }];
    }
    const policy = policyOf(outline, secret);
    const over = state !== undefined && graceIsOver(state, policy, now);
    // A login that somebody still uses waits.
    const waits = over && (inUse[secret.name] ?? "") !== "" && now < graceLimitAt(state, policy);
    return over && !waits ? [{ secret: secret.name, why: "grace period over" }] : [];
  });
  const acting = due.map(({ secret }) => secret);
  const kept = wanted.flatMap((secret) => {
    const state = outputs[secret.name]?.state;
    if (state === undefined || acting.includes(secret.name)) return [];
    return keptLogin(secret, state, inUse[secret.name], policyOf(outline, secret)) ?? [];
  });
  return { due, kept };
}

/** The secrets that Vault rotated since services were restarted for them last. */
async function rotatedByVault(
  outline: Outline,
  secrets: readonly SecretConfig[],
  outputs: Awaited<ReturnType<typeof readOutputs>>,
): Promise<string[]> {
  const found = await Promise.all(
    secrets.map(async (secret) => {
      const state = outputs[secret.name]?.state;
      const asks = isRotatedByVault(secret) && state !== undefined;
      return asks && (await unseenRotation(outline, secret, state)) !== undefined ? [secret.name] : [];
    }),
  );
  return found.flat();
}

/** The names as they are. @throws UsageError for one that the config does not have */
export async function checkNames(project: Project, names: readonly string[]): Promise<readonly string[]> {
  if (names.length > 0) secretsNamed(await readOutline(project), names);
  return names;
}
