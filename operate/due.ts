import { isLeased, isRotatedByVault, policyOf, type SecretConfig } from "../config";
import { graceEndsAt } from "../rotation/next-state";
import { previousGeneration } from "../rotation/state";
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

/**
 * What an update would do now to the named secrets, or to all, without asking the engine.
 * @throws ConfigError, UsageError
 */
export async function whatIsDue(project: Project, names: readonly string[]): Promise<Due[]> {
  const [outline, outputs, request] = await Promise.all([
    readOutline(project),
    readOutputs(project),
    readRequest(project),
  ]);
  const now = clockOf(outline);
  const statuses = new Map(statusOf(outline, outputs, [], now).map((status) => [status.name, status]));
  const wanted = secretsNamed(outline, names);
  const rotated = await rotatedByVault(outline, wanted, outputs);
  return wanted.flatMap((secret): Due[] => {
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
    const ending = state !== undefined && !state.revoked && previousGeneration(state) !== undefined;
    const over = ending && now >= graceEndsAt(state, policyOf(outline, secret));
    return over ? [{ secret: secret.name, why: "grace period over" }] : [];
  });
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
