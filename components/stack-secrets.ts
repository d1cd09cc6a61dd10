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
import { clockBehind } from "../rotation/clock";
import { nextLeaseState } from "../rotation/lease-state";
import { nextState } from "../rotation/next-state";
import { describePlan, planOf } from "../rotation/plan";
import { RequestRefusedError } from "../rotation/request";
import type { SecretState } from "../rotation/state";
import { nextVaultState } from "../rotation/vault-state";
import type { VaultRotations } from "../vault/last-rotation";
import { createAlpacaSecret, type PreviousKeysSeen } from "./alpaca-secret";
import { leaseFingerprint } from "./lease-definition";
import type { LeftRoles } from "./left-roles";
import type { Platform } from "./platform";
import { PostgresPassword } from "./postgres-password";
import { waitsFor } from "./rotation-order";

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
}

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
): Record<string, unknown> {
  const outputs: Record<string, unknown> = {};
  const earlier: { readonly secret: SecretConfig; readonly last: pulumi.Resource }[] = [];
  for (const secret of config.secrets) {
    const dependsOn = earlier.filter((one) => waitsFor(secret, one.secret)).map(({ last }) => last);
    const before = previous[secret.name];
    const behind = before && clockBehind(secret.name, before.state, now);
    if (behind !== undefined) void pulumi.log.warn(behind);
    const {
      description,
      state,
      last: done,
    } = secret.kind === "alpaca-key"
      ? createAlpacaSecret({ config, secret, before, platform, now, seen: seen[secret.name], dependsOn })
      : isMadeByVault(secret)
        ? createMadeByVault({
            config,
            secret,
            before,
            platform,
            now,
            rotation: rotations[secret.name],
            dependsOn,
          })
        : createPassword({ config, secret, before, platform, now, left: left[secret.name] ?? [], dependsOn });
    outputs[secret.name] = pulumi.all([description, state]).apply(([about, known]) => ({ ...about, state: known }));
    earlier.push({ secret, last: done });
  }
  return outputs;
}

interface MadeByVaultArgs {
  readonly config: Config;
  readonly secret: VaultPasswordConfig;
  readonly before: PreviousSecret | undefined;
  readonly platform: Platform;
  readonly now: Date;
  /** When Vault rotated last, where it does by itself. */
  readonly rotation: string | undefined;
  readonly dependsOn: readonly pulumi.Resource[];
}

function createMadeByVault(args: MadeByVaultArgs): StackSecret {
  const { config, secret, before: previous, platform, now, rotation, dependsOn } = args;
  assertUnchanged(secret, previous);
  const { vaultDatabases: databases } = platform;
  if (databases === undefined) throw new Error("the platform must have Vault's database engine");
  const before = previous?.state;
  const policy = policyOf(config, secret);
  const request = config.request?.secret === secret.name ? config.request : undefined;
  const state =
    secret.strategy === "vault-static"
      ? nextVaultState(before, { now, policy, request, rotation })
      : nextLeaseState(before, { now, request, definition: leaseFingerprint(secret) });
  void pulumi.log.info(describePlan(planOf(secret.name, before, state)));
  return databases.create(secret, { state, policy, platform }, { dependsOn: [...dependsOn] });
}

interface PasswordArgs {
  readonly config: Config;
  readonly secret: PostgresPasswordConfig;
  readonly before: PreviousSecret | undefined;
  readonly platform: Platform;
  readonly now: Date;
  readonly left: readonly string[];
  readonly dependsOn: readonly pulumi.Resource[];
}

function createPassword(args: PasswordArgs): StackSecret {
  const { config, secret, before: previous, platform, now, left, dependsOn } = args;
  assertUnchanged(secret, previous);
  const before = previous?.state;
  const policy = policyOf(config, secret);
  const value = config.adopted[secret.name];
  const request = config.request?.secret === secret.name ? config.request : undefined;
  const overlaps = secret.strategy !== "single-user";
  const state = nextState(before, { now, policy, request, hasAdopted: value !== undefined, overlaps });
  void pulumi.log.info(describePlan(planOf(secret.name, before, state)));
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
      // Only in the update that handles the request: it stays in the config afterwards.
      force: request?.force === true && request.id !== before?.handledRequest,
      policy,
      platform,
      adopted: value === undefined ? undefined : pulumi.secret(value),
      left,
    },
    { dependsOn: [...dependsOn] },
  );
}
