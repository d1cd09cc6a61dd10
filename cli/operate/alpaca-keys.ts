import { type AlpacaKeyConfig, type KeyPair, type KeyPairs, PROJECT } from "../../config";
import { schema } from "../../config/schema";
import { redact } from "../../core/redact";
import { secretsIn } from "../../core/secret-fields";
import { previousGeneration, type SecretState } from "../../core/state";
import { type AlpacaPlaces, alpacaPlaces } from "../../kinds/alpaca-key/places";
import { alpacaPairs, pairOf } from "../../kinds/alpaca-key/supplied";
import { pairName, type Verified, verifyPair } from "../../kinds/alpaca-key/verify";
import { keysBySlot } from "../../kinds/issuer/keys";
import { OperationError, UsageError } from "./errors";
import { readOutputs } from "./outputs";
import type { Project } from "./project";
import { runPulumi } from "./pulumi";
import { environmentSecrets } from "./secrets";
import { clockOf, type KeySettings, readKeySettings } from "./settings";

/** The keys of one secret: in the config, and after the last finished update. */
export interface KeyRing {
  readonly settings: KeySettings;
  readonly secret: AlpacaKeyConfig;
  readonly places: AlpacaPlaces;
  /** Undefined before the first finished update. */
  readonly state: SecretState | undefined;
  /** For the date in a label. */
  readonly now: Date;
}

/** @param name the secret's name; optional if the stack has only one pair. @throws ConfigError, UsageError */
export async function openKeyRing(project: Project, name?: string): Promise<KeyRing> {
  const settings = await readKeySettings(project);
  const { alpaca, environment } = settings;
  const secret = chooseSecret(settings, name);
  if (alpaca === undefined) throw new UsageError("the config has no `alpaca`: expected { baseUrl }, Alpaca's API");
  const { state } = (await readOutputs(project))[secret.name] ?? {};
  return { settings, secret, places: alpacaPlaces(alpaca, environment), state, now: clockOf(settings) };
}

/** The pairs that the config knows, by the slot that their label is in. */
function pairsOf(config: Pick<KeySettings, "alpacaKeys" | "apiKeys">, secret: AlpacaKeyConfig, state?: SecretState) {
  const { active, previous } = keysBySlot(alpacaPairs, config, secret, state);
  return { active: active && pairOf(active), previous: previous && pairOf(previous) };
}

function chooseSecret({ secrets }: KeySettings, name: string | undefined): AlpacaKeyConfig {
  const keys = secrets.filter((secret) => secret.kind === "alpaca-key");
  const found = name === undefined && keys.length === 1 ? keys[0] : keys.find((secret) => secret.name === name);
  if (found !== undefined) return found;
  const known = keys.map((secret) => secret.name).join(", ");
  if (known === "") throw new UsageError("the config has no secret of kind alpaca-key; add one to `secrets`");
  throw new UsageError(`expected one of ${known}, found ${name ?? "none"}; name it with --secret`);
}

/**
 * The pairs with a new one: the one in use becomes `previous`. A pair that was supplied and never rolled out is
 * replaced, so that a wrong one can be supplied again under the same label.
 *
 * @throws UsageError for a label or a pair that was used before, and if the pair in use is not in the config
 */
export function withNewPair(ring: Pick<KeyRing, "settings" | "secret" | "state">, added: KeyPair): KeyPairs {
  const { settings, secret, state } = ring;
  const inUse = pairsOf(settings, secret, state).active;
  if (state === undefined && inUse === undefined) return { current: added };
  if (inUse === undefined) {
    throw new UsageError(
      `the pair in use, ${state?.labels[state.active]}, is missing from alpacaKeys["${secret.name}"]: it determines the ` +
        "account that a new pair must have, and a rollback returns to it. Put it back as `current` first.",
    );
  }
  if (added.label === inUse.label || state?.usedLabels.includes(added.label)) {
    throw new UsageError(
      `the label ${added.label} was used before: expected a new one. Label the key on the dashboard with today's date.`,
    );
  }
  if (added.keyId === inUse.keyId || added.secretKey === inUse.secretKey) {
    throw new UsageError(`expected a new pair, found parts of the one in use, ${inUse.label}`);
  }
  return { current: added, previous: inUse };
}

/** What `add-key` did. */
export interface AddedKey extends Verified {
  readonly secret: string;
  readonly label: string;
  /** The label of the pair that was in use, undefined for the very first one. */
  readonly previous: string | undefined;
}

/**
 * Tests a new pair at Alpaca, and only then writes it into the stack's secret config, by stdin.
 *
 * @param onWait called when Alpaca has not activated the pair yet.
 * @throws UsageError, PairRefusedError, AlpacaUnavailableError, OperationError; then nothing was written
 */
export async function addKey(
  project: Project,
  ring: KeyRing,
  added: KeyPair,
  onWait: (message: string) => void,
): Promise<AddedKey> {
  const { settings, secret, places } = ring;
  const keys = withNewPair(ring, added);
  const verified = await verifyPair({
    places,
    purpose: "rotation",
    pair: added,
    before: keys.previous,
    account: secret.account,
    activationWait: settings.alpaca?.activationWait,
    onWait,
  });
  await writeKeys(project, settings, secret.name, keys);
  return { ...verified, secret: secret.name, label: added.label, previous: keys.previous?.label };
}

/**
 * Removes the deleted pair from the config; the next update removes it from the state.
 *
 * @returns its label
 * @throws UsageError until an update has seen that Alpaca refuses it
 */
export async function forgetKey(project: Project, { settings, secret, state }: KeyRing): Promise<string> {
  const { active, previous } = pairsOf(settings, secret, state);
  if (state === undefined || previous === undefined || active === undefined) {
    throw new UsageError(`${secret.name} has no pair to forget: the config has only the one in use`);
  }
  if (!state.revoked) {
    throw new UsageError(
      `${pairName(previous)} (generation ${previousGeneration(state)}) must stay until an update has seen its end: delete it on the ` +
        "dashboard after its grace period, then run `pulumi up`, which checks that Alpaca refuses it",
    );
  }
  await writeKeys(project, settings, secret.name, { current: active });
  return previous.label;
}

async function writeKeys(project: Project, { alpacaKeys }: KeySettings, name: string, keys: KeyPairs): Promise<void> {
  const all = { ...alpacaKeys, [name]: keys };
  const args = ["config", "set", "--secret", `${PROJECT}:alpacaKeys`];
  const { exitCode, stderr } = await runPulumi(project, args, JSON.stringify(all));
  if (exitCode === 0) return;
  const said = redact(stderr.trim(), [...secretsIn(schema.shape.alpacaKeys, all), ...environmentSecrets(project.env)]);
  throw new OperationError(`the pair works, but could not be written into the config of ${project.stack}: ${said}`);
}
