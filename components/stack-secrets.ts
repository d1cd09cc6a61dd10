import * as pulumi from "@pulumi/pulumi";
import type { PreviousKeysSeen } from "../alpaca/previous-keys";
import {
  type Config,
  type DatabasePasswordConfig,
  isMadeByVault,
  type PostgresPasswordConfig,
  policyOf,
  type SecretConfig,
  type VaultPasswordConfig,
} from "../config";
import { clockBehind } from "../rotation/clock";
import { RequestRefusedError } from "../rotation/request";
import { activation, type SecretState } from "../rotation/state";
import type { VaultRotations } from "../vault/last-rotation";
import { createAlpacaSecret } from "./alpaca-secret";
import { decideSecret } from "./decide-secret";
import type { LeftRoles } from "./left-roles";
import { keptLogin, type PreviousInUse } from "./old-logins";
import type { Platform } from "./platform";
import { PostgresPassword } from "./postgres-password";
import { waitsFor } from "./rotation-order";
import { sayPlan } from "./say-plan";

/** What every kind of secret gives to the stack. */
export interface StackSecret {
  /** Resolved once the whole chain is done, the audit row included. */
  readonly state: pulumi.Output<SecretState>;
  /** Versions, dates and paths, never a value. */
  readonly description: pulumi.Output<Record<string, unknown>>;
  /** What comes after this secret depends on it. */
  readonly last: pulumi.Resource;
}

/** The secrets as the last finished update of a stack left them, by name. */
export type PreviousSecrets = Readonly<Record<string, PreviousSecret | undefined>>;

export interface PreviousSecret {
  readonly state: SecretState;
  readonly strategy?: unknown;
  readonly role?: unknown;
  /** Of a supplied key: its label, and the end of its id. */
  readonly key?: { readonly label: string; readonly keyId: string };
  /** {@link RESTARTED_BY}; undefined of an update by a version of this program whose restarts were other resources. */
  readonly restartedBy?: string;
}

/** The resources that restart services, as a stack's outputs name them. */
const RESTARTED_BY = "step";

/** The activation that an earlier version of this program rolled out: the resources of this one need not do it again. */
const rolledOutBy = (before: PreviousSecret | undefined): string | undefined =>
  before === undefined || before.restartedBy === RESTARTED_BY ? undefined : activation(before.state);

/** What a change in place would break: a role would be renamed, or lose its password while services use it. */
const FIXED = ["strategy", "role"] as const;

/** @throws RequestRefusedError with the way to change it without an outage. */
function assertUnchanged(secret: DatabasePasswordConfig, before: PreviousSecret | undefined): void {
  for (const key of FIXED) {
    const [was, is] = [before?.[key], secret[key]];
    if (was === undefined || was === is) continue;
    throw new RequestRefusedError(
      `${secret.name}: ${key} changed from ${was} to ${is}, which cannot be done in place. Take the secret out of the ` +
        "config and run `pulumi up` (it forgets the roles and the stored values and leaves them as they are), then put it " +
        "back: the credential in use is adopted anew. Nothing was changed.",
    );
  }
}

/**
 * Declares every secret of the config in its order, and says what happens to each. Returns the stack's output.
 */
export function createSecrets(
  config: Config,
  previous: PreviousSecrets,
  platform: Platform,
  now: Date,
  seen: PreviousKeysSeen = {},
  rotations: VaultRotations = {},
  left: LeftRoles = {},
  recorded: Readonly<Record<string, SecretState | undefined>> = {},
  inUse: PreviousInUse = {},
): Record<string, unknown> {
  const outputs: Record<string, unknown> = {};
  const earlier: { readonly secret: SecretConfig; readonly last: pulumi.Resource }[] = [];
  for (const secret of config.secrets) {
    const dependsOn = earlier.filter((one) => waitsFor(secret, one.secret)).map(({ last }) => last);
    const before = previous[secret.name];
    const behind = before && clockBehind(secret.name, before.state, now);
    if (behind !== undefined) void pulumi.log.warn(behind);
    const rolledOut = rolledOutBy(before);
    const {
      description,
      state,
      last: done,
    } = secret.kind === "alpaca-key"
      ? createAlpacaSecret({
          config,
          secret,
          before,
          platform,
          now,
          seen: seen[secret.name],
          recorded: recorded[secret.name],
          rolledOut,
          dependsOn,
        })
      : isMadeByVault(secret)
        ? createMadeByVault({
            config,
            secret,
            before,
            platform,
            now,
            rotation: rotations[secret.name],
            recorded: recorded[secret.name],
            rolledOut,
            dependsOn,
          })
        : createPassword({
            config,
            secret,
            before,
            platform,
            now,
            left: left[secret.name] ?? [],
            recorded: recorded[secret.name],
            inUse: inUse[secret.name],
            rolledOut,
            dependsOn,
          });
    outputs[secret.name] = pulumi
      .all([description, state])
      .apply(([about, known]) => ({ ...about, restartedBy: RESTARTED_BY, state: known }));
    earlier.push({ secret, last: done });
  }
  return outputs;
}

interface MadeByVaultArgs {
  readonly config: Config;
  readonly secret: VaultPasswordConfig;
  readonly before: PreviousSecret | undefined;
  readonly recorded: SecretState | undefined;
  readonly platform: Platform;
  readonly now: Date;
  /** When Vault rotated last, where it does by itself. */
  readonly rotation: string | undefined;
  readonly rolledOut: string | undefined;
  readonly dependsOn: readonly pulumi.Resource[];
}

function createMadeByVault(args: MadeByVaultArgs): StackSecret {
  const { config, secret, before: previous, recorded, platform, now, rotation, rolledOut, dependsOn } = args;
  assertUnchanged(secret, previous);
  const { vaultDatabases: databases } = platform;
  if (databases === undefined) throw new Error("the platform must have Vault's database engine");
  const policy = policyOf(config, secret);
  const decision = decideSecret(config, secret, { finished: previous?.state, recorded }, { now, rotation });
  sayPlan(decision);
  const { state } = decision;
  return databases.create(secret, { state, recorded, rolledOut, policy, platform }, { dependsOn: [...dependsOn] });
}

interface PasswordArgs {
  readonly config: Config;
  readonly secret: PostgresPasswordConfig;
  readonly before: PreviousSecret | undefined;
  readonly recorded: SecretState | undefined;
  readonly platform: Platform;
  readonly now: Date;
  readonly left: readonly string[];
  /** Who still uses the previous login, in words; undefined where nobody was asked. */
  readonly inUse: string | undefined;
  readonly rolledOut: string | undefined;
  readonly dependsOn: readonly pulumi.Resource[];
}

function createPassword(args: PasswordArgs): StackSecret {
  const { config, secret, before: previous, recorded, platform, now, left, inUse, rolledOut, dependsOn } = args;
  assertUnchanged(secret, previous);
  const before = previous?.state;
  const policy = policyOf(config, secret);
  const value = config.adopted[secret.name];
  const decision = decideSecret(config, secret, { finished: before, recorded }, { now, previousInUse: inUse });
  const { state, action, force } = decision;
  sayPlan(decision);
  const kept = keptLogin(secret, state, inUse, policy);
  if (kept !== undefined) void pulumi.log.warn(kept);
  if (before === undefined && value === undefined) {
    void pulumi.log.warn(
      `${secret.name}: the value in use is not known, so there is nothing to roll back to until the second rotation. ` +
        `To change that: pulumi config set --secret --path 'adopted["${secret.name}"]'`,
    );
  }
  return new PostgresPassword(
    secret.name.replaceAll("/", "-"),
    {
      config: secret,
      state,
      recorded,
      rolledOut,
      acts: action !== undefined,
      force,
      policy,
      platform,
      adopted: value === undefined ? undefined : pulumi.secret(value),
      left,
    },
    { dependsOn: [...dependsOn] },
  );
}
