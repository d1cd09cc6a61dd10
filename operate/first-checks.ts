import { type Config, policyOf, type SecretConfig } from "../config";
import { dueAt } from "../rotation/next-state";
import type { Request } from "../rotation/request";
import type { SecretState } from "../rotation/state";
import { isHalfDone } from "./half-done";
import { checkSecrets, type PreflightMode, type PreflightResult } from "./preflight";
import type { RunContext } from "./run-context";
import { clockOf } from "./settings";

/**
 * The preflight of what is about to act, and told to the listener. What an earlier update left half-done is not checked:
 * it would meet its own half-written store.
 * @returns the results where one check failed
 */
export async function checkFirst(
  { config, listener, engine, before }: RunContext,
  request: Request | undefined,
): Promise<PreflightResult[] | undefined> {
  const acting = config.secrets.filter(
    (secret) => secret.name === request?.secret || willRotate(config, secret, before[secret.name]?.state),
  );
  // A value that somebody else wrote is not the one that this stack knows; the update proves it.
  const adopts = request?.adopt === true ? request.secret : undefined;
  if (acting.every(({ name }) => name === adopts)) return undefined;
  listener.step("preflight: checking everything the rotation will touch");
  const state = await engine.exportState();
  const resources = state.deployment.resources ?? [];
  const [unfinished, fresh] = partition(
    acting.filter(({ name }) => name !== adopts),
    ({ name }) => isHalfDone(resources, name, before[name]?.state),
  );
  for (const { name } of unfinished)
    listener.note(`${name}: an earlier update died half-way; this one goes on from there`);
  if (fresh.length === 0) return undefined;
  const groups = [...new Set(fresh.map(({ name }) => modeOf(name, request)))];
  const results = await Promise.all(
    groups.map((mode) =>
      checkSecrets(
        config,
        fresh.filter(({ name }) => modeOf(name, request) === mode),
        mode,
        before,
        state,
        request?.force,
      ),
    ),
  );
  listener.preflight(results.flat());
  return results.flat().every(({ ok }) => ok) ? undefined : results.flat();
}

/** Whether an update rotates a secret by itself: by its age, or since the operator supplied a new key. */
function willRotate(config: Config, secret: SecretConfig, state: SecretState | undefined): boolean {
  if (state === undefined) return true;
  if (secret.kind === "alpaca-key") {
    const label = config.alpacaKeys[secret.name]?.current.label;
    return label !== undefined && !state.labels.includes(label);
  }
  return clockOf(config) >= dueAt(state, policyOf(config, secret));
}

function partition<T>(items: readonly T[], belongs: (item: T) => boolean): [T[], T[]] {
  return [items.filter(belongs), items.filter((item) => !belongs(item))];
}

function modeOf(secret: string, request: Request | undefined): PreflightMode {
  if (request?.secret !== secret) return "rotation";
  if (request.activate !== undefined) return "rollback";
  return request.emergency ? "emergency" : "rotation";
}
