import { PROJECT, type SecretConfig, traitsOf } from "../../config";
import { schema } from "../../config/schema";
import { redact } from "../../core/redact";
import { secretsIn } from "../../core/secret-fields";
import { previousGeneration, type SecretState } from "../../core/state";
import { keysBySlot } from "../../kinds/issuer/keys";
import type { IssuedSecret, SuppliedKey, SuppliedKeys, SuppliedKind } from "../../kinds/issuer/supplied-kind";
import { OperationError, UsageError } from "./errors";
import { readOutputs } from "./outputs";
import type { Project } from "./project";
import { runPulumi } from "./pulumi";
import { environmentSecrets } from "./secrets";
import { clockOf, type KeySettings, readKeySettings } from "./settings";

/** The keys of one secret: in the config, and after the last finished update. */
export interface KeyRing<S extends IssuedSecret> {
  readonly kind: SuppliedKind<S>;
  readonly settings: KeySettings;
  readonly secret: S;
  /** Undefined before the first finished update. */
  readonly state: SecretState | undefined;
  /** For the date in a label. */
  readonly now: Date;
}

/** @param name the secret's name; optional if the stack has only one of the kind. @throws ConfigError, UsageError */
export async function openKeyRing<S extends IssuedSecret>(
  project: Project,
  kind: SuppliedKind<S>,
  name?: string,
): Promise<KeyRing<S>> {
  const settings = await readKeySettings(project);
  const secret = chooseSecret(settings, kind, name);
  const { state } = (await readOutputs(project))[secret.name] ?? {};
  return { kind, settings, secret, state, now: clockOf(settings) };
}

function chooseSecret<S extends IssuedSecret>(
  { secrets }: KeySettings,
  { kind }: SuppliedKind<S>,
  name: string | undefined,
): S {
  const keys = secrets.filter((secret: SecretConfig): secret is S => secret.kind === kind);
  const found = name === undefined && keys.length === 1 ? keys[0] : keys.find((secret) => secret.name === name);
  if (found !== undefined && traitsOf(found).suppliedBy !== "operator") throw new UsageError(notSupplied(found));
  if (found !== undefined) return found;
  const known = keys.map((secret) => secret.name).join(", ");
  if (known === "") throw new UsageError(`the config has no secret of kind ${kind}; add one to \`secrets\``);
  const choice = kind === "alpaca-key" ? "; name it with --secret" : "";
  throw new UsageError(`expected one of ${known}, found ${name ?? "none"}${choice}`);
}

const notSupplied = ({ name }: SecretConfig) =>
  `the issuer of ${name} makes its keys (config key \`issue\`), so none is supplied: \`rotation rotate-now ${name}\` makes a new one`;

/**
 * The keys with a new one: the one in use becomes `previous`. A key that was supplied and never rolled out is replaced, so
 * that a wrong one can be supplied again under the same label.
 *
 * @throws UsageError for a label or a key that was used before, and if the key in use is not in the config
 */
export function withNewKey<S extends IssuedSecret>(
  { kind, settings, secret, state }: Pick<KeyRing<S>, "kind" | "settings" | "secret" | "state">,
  added: SuppliedKey,
): SuppliedKeys {
  const { noun, configKey, labelIt } = kind.terms(secret);
  const inUse = keysBySlot(kind, settings, secret, state).active;
  if (state === undefined && inUse === undefined) return { current: added };
  if (inUse === undefined) {
    throw new UsageError(
      `the ${noun} in use, ${state?.labels[state.active]}, is missing from ${configKey}["${secret.name}"]: it determines the ` +
        `account that a new ${noun} must have, and a rollback returns to it. Put it back as \`current\` first.`,
    );
  }
  if (added.label === inUse.label || state?.usedLabels.includes(added.label)) {
    throw new UsageError(`the label ${added.label} was used before: expected a new one. ${labelIt}`);
  }
  if (kind.isSame(added.values, inUse.values)) {
    throw new UsageError(`expected a new ${noun}, found parts of the one in use, ${inUse.label}`);
  }
  return { current: added, previous: inUse };
}

/** What was added. */
export interface AddedKey {
  readonly secret: string;
  readonly label: string;
  /** The label of the key that was in use, undefined for the very first one. */
  readonly previous: string | undefined;
}

/**
 * Has a new key tested, and only then writes it into the stack's secret config, by stdin.
 *
 * @param prove asks the issuer about the key, and about the one in use
 * @throws UsageError, OperationError, and what `prove` throws; then nothing was written
 */
export async function addKey<S extends IssuedSecret, V>(
  project: Project,
  ring: KeyRing<S>,
  added: SuppliedKey,
  prove: (before: SuppliedKey | undefined) => Promise<V>,
): Promise<AddedKey & V> {
  const keys = withNewKey(ring, added);
  const verified = await prove(keys.previous);
  await writeKeys(project, ring, keys);
  return { ...verified, secret: ring.secret.name, label: added.label, previous: keys.previous?.label };
}

/**
 * Removes the deleted key from the config; the next update removes it from the state.
 *
 * @returns its label
 * @throws UsageError until an update has seen that its issuer refuses it
 */
export async function forgetKey<S extends IssuedSecret>(project: Project, ring: KeyRing<S>): Promise<string> {
  const { kind, settings, secret, state } = ring;
  const { noun, seesEnd } = kind.terms(secret);
  const { active, previous } = keysBySlot(kind, settings, secret, state);
  if (state === undefined || previous === undefined || active === undefined) {
    throw new UsageError(`${secret.name} has no ${noun} to forget: the config has only the one in use`);
  }
  if (!state.revoked) {
    throw new UsageError(
      `${kind.shown(previous)} (generation ${previousGeneration(state)}) must stay until an update has seen its end: ${seesEnd}`,
    );
  }
  await writeKeys(project, ring, { current: active });
  return previous.label;
}

async function writeKeys<S extends IssuedSecret>(
  project: Project,
  { kind, settings, secret }: KeyRing<S>,
  keys: SuppliedKeys,
): Promise<void> {
  const { configKey, noun } = kind.terms(secret);
  const all = { ...settings[configKey], [secret.name]: writtenKeys(kind, keys) };
  const args = ["config", "set", "--secret", `${PROJECT}:${configKey}`];
  const { exitCode, stderr } = await runPulumi(project, args, JSON.stringify(all));
  if (exitCode === 0) return;
  const secrets = [...secretsIn(schema.shape[configKey], all), ...environmentSecrets(project.env)];
  const said = redact(stderr.trim(), secrets);
  throw new OperationError(`the ${noun} works, but could not be written into the config of ${project.stack}: ${said}`);
}

const writtenKeys = <S extends IssuedSecret>({ written }: SuppliedKind<S>, { current, previous }: SuppliedKeys) => ({
  current: written(current),
  ...(previous === undefined ? {} : { previous: written(previous) }),
});
