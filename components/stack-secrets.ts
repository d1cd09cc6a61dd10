import * as pulumi from "@pulumi/pulumi";
import {
  type Config,
  type DatabasePasswordConfig,
  isMadeByVault,
  type PostgresPasswordConfig,
  policyOf,
  type SecretConfig,
  type VaultPasswordConfig,
} from "../config";
import { clockBehind } from "../core/clock";
import { RequestRefusedError } from "../core/request";
import { activation, type SecretState } from "../core/state";
import { createAlpacaSecret } from "../kinds/alpaca-key/create";
import type { PreviousKeysSeen } from "../kinds/alpaca-key/previous-keys";
import { PostgresPassword } from "../kinds/postgres-password/component";
import type { LeftRoles } from "../kinds/postgres-password/left-roles";
import { keptLogin, type PreviousInUse } from "../kinds/postgres-password/old-logins";
import type { VaultRotations } from "../kinds/vault-static/last-rotation";
import { decideSecret } from "./decide-secret";
import type { Platform } from "./platform";
import type { Known } from "./previous-secrets";
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

/** What was seen outside of the stack before anything is decided, each by the secret's name. */
export interface SeenOutside {
  /** What Alpaca says of previous pairs. */
  readonly keys?: PreviousKeysSeen;
  /** When Vault rotated last what it rotates by itself. */
  readonly rotations?: VaultRotations;
  /** Login roles that are there although the stack does not know them. */
  readonly left?: LeftRoles;
  /** Who still uses a login whose grace period is over. */
  readonly inUse?: PreviousInUse;
}

/**
 * Declares every secret of the config in its order, and says what happens to each. Returns the stack's output.
 */
export function createSecrets(
  config: Config,
  { previous, recorded }: Known,
  platform: Platform,
  now: Date,
  { keys = {}, rotations = {}, left = {}, inUse = {} }: SeenOutside = {},
): Record<string, unknown> {
  const outputs: Record<string, unknown> = {};
  const earlier: { readonly secret: SecretConfig; readonly last: pulumi.Resource }[] = [];
  for (const secret of config.secrets) {
    const { name } = secret;
    const dependsOn = earlier.filter((one) => waitsFor(secret, one.secret)).map(({ last }) => last);
    const before = previous[name];
    const behind = before && clockBehind(name, before.state, now);
    if (behind !== undefined) void pulumi.log.warn(behind);
    const common = {
      config,
      before,
      recorded: recorded[name],
      rolledOut: rolledOutBy(before),
      platform,
      now,
      dependsOn,
    };
    const made =
      secret.kind === "alpaca-key"
        ? createAlpacaSecret({ ...common, secret, seen: keys[name] })
        : isMadeByVault(secret)
          ? createMadeByVault({ ...common, secret, rotation: rotations[name] })
          : createPassword({ ...common, secret, left: left[name] ?? [], inUse: inUse[name] });
    outputs[name] = pulumi
      .all([made.description, made.state])
      .apply(([about, state]): Record<string, unknown> => ({ ...about, restartedBy: RESTARTED_BY, state }));
    earlier.push({ secret, last: made.last });
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
