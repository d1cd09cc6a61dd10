import type { Config, SecretConfig } from "../../config";
import { recordedOf, type StateResource } from "../../core/begun";
import type { Decision, PreflightMode } from "../../core/decide";
import { type Request, RequestRefusedError } from "../../core/request";
import { previousGeneration, type SecretState } from "../../core/state";
import { decideSecret, type KnownState, observe, type SeenOutside } from "../../kinds";
import { decideTogether } from "../../kinds/decide-together";
import type { DecidingConfig } from "../../kinds/kind";
import type { SecretOutput } from "./outputs";
import { clockOf } from "./settings";

type Outputs = Readonly<Record<string, SecretOutput>>;

/** What an update knows of a secret before it decides, out of the stack's outputs and its resources. */
export function knownOf(outputs: Outputs, resources: readonly StateResource[], secret: string): KnownState {
  // As in the program: before the first finished update it cannot read what was begun, and decides the same anew.
  const recorded = Object.keys(outputs).length === 0 ? undefined : recordedOf(resources, secret);
  return { finished: outputs[secret]?.state, recorded };
}

/**
 * What an update decides on each of these secrets: the same decision as in the program, on the same observations.
 *
 * @throws RequestRefusedError
 */
export async function decideAll(
  config: Config,
  secrets: readonly SecretConfig[],
  outputs: Outputs,
  resources: readonly StateResource[],
): Promise<Decision[]> {
  const { known, now, seen } = await look(config, secrets, outputs, resources);
  const decide = (secret: SecretConfig) => decideSecret(config, secret, known(secret.name), now, seen[secret.name]);
  return decideTogether(config, secrets.map(decide));
}

/** Observes the platform as the program does. What cannot be observed is left out: the preflight says why. */
async function look(
  config: Config,
  secrets: readonly SecretConfig[],
  outputs: Outputs,
  resources: readonly StateResource[],
) {
  const known = (secret: string) => knownOf(outputs, resources, secret);
  const now = clockOf(config);
  const each = secrets.map((secret) => observe(config, [secret], known, now).catch(() => ({})));
  return { known, now, seen: Object.assign({}, ...(await Promise.all(each))) as SeenOutside };
}

/**
 * What would be decided on such a request, for the CLI's own preflight. If the request would be refused (a key without a
 * new pair), what is decided without it, in the requested mode.
 */
export async function decideOn(
  config: Config,
  secrets: readonly SecretConfig[],
  outputs: Outputs,
  resources: readonly StateResource[],
  mode: PreflightMode,
): Promise<Decision[]> {
  const { known, now, seen } = await look(config, secrets, outputs, resources);
  return secrets.map((secret) => {
    const { name } = secret;
    const decided = (request: Request | undefined) =>
      decideSecret(withRequest(config, request), secret, known(name), now, seen[name]);
    const natural = decided(undefined);
    if (natural.resumes || (mode === "rotation" && natural.action !== undefined && natural.action !== "REVOKE"))
      return natural;
    try {
      return decided(asked(name, mode, natural.state));
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
