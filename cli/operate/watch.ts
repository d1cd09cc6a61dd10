import { withClient } from "../../audit/connection";
import { migrateIfNeeded } from "../../audit/migrate";
import { policyOf } from "../../config";
import type { Watch } from "../../core/disuse";
import { messageOf } from "../../core/errors";
import type { SecretState } from "../../core/state";
import { operationsOf } from "../../kinds/operations";
import { auditConnection } from "./audit-log";
import { readOutputs } from "./outputs";
import type { Project } from "./project";
import { clockOf, type Outline, readOutline } from "./settings";

/** A look at a previous login, or why there is none. */
export interface Looked {
  readonly secret: string;
  readonly login?: string;
  readonly watch?: Watch;
  /** Nothing was added to the watch then: this time counts as not watched. */
  readonly error?: string;
}

/**
 * Looks once who uses each previous login that is not revoked, and keeps what was seen in the audit database.
 *
 * @throws ConfigError, UsageError
 */
export async function watchOnce(project: Project): Promise<Looked[]> {
  const [outline, outputs] = await Promise.all([readOutline(project), readOutputs(project)]);
  return lookAt(
    outline,
    (name) => outputs[name]?.state,
    () => true,
  );
}

/** The same, for secrets whose policy has a quiet period: what a scheduled run does before it decides. */
export const watchBeforeDue = (
  outline: Outline,
  stateOf: (secret: string) => SecretState | undefined,
): Promise<Looked[]> => lookAt(outline, stateOf, (secret) => policyOf(outline, secret).quietPeriod !== undefined);

async function lookAt(
  outline: Outline,
  stateOf: (secret: string) => SecretState | undefined,
  isWanted: (secret: Outline["secrets"][number]) => boolean,
): Promise<Looked[]> {
  // Not by the kind: the program, which loads all kinds, would bring the migrations with it.
  let ready: Promise<void> | undefined;
  const migrated = () => {
    ready ??= withClient(auditConnection(outline), migrateIfNeeded);
    return ready;
  };
  const looked = outline.secrets.filter(isWanted).map(async (secret): Promise<Looked[]> => {
    const state = stateOf(secret.name);
    const { watch } = operationsOf(secret);
    if (state === undefined || watch === undefined) return [];
    try {
      await migrated();
      const look = await watch(secret, state, { config: outline, now: clockOf(outline) });
      return look === undefined ? [] : [{ secret: secret.name, ...look }];
    } catch (error) {
      return [{ secret: secret.name, error: messageOf(error) }];
    }
  });
  return (await Promise.all(looked)).flat();
}
