import { type DecidingConfig, decideSecret, type KnownState, type Seen } from "../../components/decide-secret";
import { type Config, isRotatedByVault, type SecretConfig } from "../../config";
import { recordedOf, type StateResource } from "../../core/begun";
import type { Decision, PreflightMode } from "../../core/decide";
import { type Request, RequestRefusedError } from "../../core/request";
import { previousGeneration, type SecretState } from "../../core/state";
import { seePreviousKeys } from "../../kinds/alpaca-key/previous-keys";
import { seeOldLogins } from "../../kinds/postgres-password/old-logins";
import { lastRotation } from "../../kinds/vault-static/facts";
import type { SecretOutput } from "./outputs";
import { clockOf } from "./settings";

type Outputs = Readonly<Record<string, SecretOutput>>;

/** What an update knows of a secret before it decides, out of the stack's outputs and its resources. */
export function knownOf(outputs: Outputs, resources: readonly StateResource[], secret: string): KnownState {
  // As the program: before the first finished update it cannot read what was begun, and comes to the same by itself.
  const recorded = Object.keys(outputs).length === 0 ? undefined : recordedOf(resources, secret);
  return { finished: outputs[secret]?.state, recorded };
}

/**
 * What an update decides on each of these secrets: the same decision as in the program, on what is seen now.
 *
 * @throws RequestRefusedError
 */
export async function decideAll(
  config: Config,
  secrets: readonly SecretConfig[],
  outputs: Outputs,
  resources: readonly StateResource[],
): Promise<Decision[]> {
  const see = await observe(config, secrets, outputs, resources);
  return secrets.map((secret) => decideSecret(config, secret, knownOf(outputs, resources, secret.name), see(secret)));
}

/**
 * What would be decided if this were asked for: what the CLI's own preflight looks at before anybody asks. Where it cannot
 * be had (a key without a new pair), what is, in the mode asked for.
 */
export async function decideOn(
  config: Config,
  secrets: readonly SecretConfig[],
  outputs: Outputs,
  resources: readonly StateResource[],
  mode: PreflightMode,
): Promise<Decision[]> {
  const see = await observe(config, secrets, outputs, resources);
  return secrets.map((secret) => {
    const known = knownOf(outputs, resources, secret.name);
    const decided = (request: Request | undefined) =>
      decideSecret(withRequest(config, request), secret, known, see(secret));
    const natural = decided(undefined);
    if (natural.resumes || (mode === "rotation" && natural.action !== undefined && natural.action !== "REVOKE"))
      return natural;
    try {
      return decided(asked(secret.name, mode, natural.state));
    } catch (error) {
      if (error instanceof RequestRefusedError) return { ...natural, mode };
      throw error;
    }
  });
}

const withRequest = ({ request: _, ...config }: DecidingConfig, request: Request | undefined): DecidingConfig =>
  request === undefined ? config : { ...config, request };

function asked(secret: string, mode: PreflightMode, state: SecretState): Request {
  const request = { id: "preflight", secret, reason: "preflight" };
  if (mode === "rollback") return { ...request, activate: previousGeneration(state) ?? -1 };
  return { ...request, rotate: true, ...(mode === "emergency" ? { emergency: true as const } : {}) };
}

/** Looks at Vault and Alpaca as the program does. What cannot be asked is left out: the preflight says why. */
async function observe(
  config: Config,
  secrets: readonly SecretConfig[],
  outputs: Outputs,
  resources: readonly StateResource[],
): Promise<(secret: SecretConfig) => Seen> {
  const state = (name: string) => outputs[name]?.state;
  const rotations = secrets.map(async (secret): Promise<[string, string | undefined]> => {
    const asks = isRotatedByVault(secret) && state(secret.name) !== undefined;
    return [secret.name, asks ? await lastRotation(config, secret).catch(() => undefined) : undefined];
  });
  const now = clockOf(config);
  const [rotated, gone, inUse] = await Promise.all([
    Promise.all(rotations),
    seePreviousKeys({ ...config, secrets: [...secrets] }, state, (name) => knownOf(outputs, resources, name).recorded),
    seeOldLogins(config, outputs, now),
  ]);
  const found = new Map(rotated);
  return ({ name }) => ({
    now,
    rotation: found.get(name),
    previousGone: gone[name]?.previous === "gone",
    previousInUse: inUse[name],
  });
}
