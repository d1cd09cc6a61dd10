import * as pulumi from "@pulumi/pulumi";
import type { Platform } from "../components/platform";
import type { Known, PreviousSecret } from "../components/previous-secrets";
import { waitsFor } from "../components/rotation-order";
import type { StackSecret } from "../components/secret-rotation";
import { type Config, policyOf, type SecretConfig } from "../config";
import { clockBehind } from "../core/clock";
import { RequestRefusedError } from "../core/request";
import { slugOf } from "../core/resource-names";
import { activation } from "../core/state";
import { pauseOver } from "../core/waiting";
import { decideSecret, kindFor, type SeenOutside } from ".";
import type { Declaration } from "./kind";

/** The resources that restart services, as a stack's outputs name them. */
const RESTARTED_BY = "step";

/** The activation that an earlier version of this program rolled out, so that this version does not repeat it. */
const rolledOutBy = (before: PreviousSecret | undefined): string | undefined =>
  before === undefined || before.restartedBy === RESTARTED_BY ? undefined : activation(before.state);

/** Keys that must not change in place: a role would be renamed, or lose its password while services use it. */
const FIXED = ["strategy", "role"] as const;

/** @throws RequestRefusedError with the way to change it without an outage. */
function assertUnchanged(secret: SecretConfig, before: PreviousSecret | undefined): void {
  const declared: Readonly<Record<string, unknown>> = secret;
  for (const key of FIXED) {
    const [was, is] = [before?.[key], declared[key]];
    if (was === undefined || is === undefined || was === is) continue;
    throw new RequestRefusedError(
      `${secret.name}: ${key} changed from ${was} to ${is}, which cannot be done in place. Take the secret out of the ` +
        "config and run `pulumi up` (it forgets the roles and the stored values and leaves them as they are), then put it " +
        "back: the credential in use is adopted anew. Nothing was changed.",
    );
  }
}

/** A secret of the config that is ready to be declared. */
export interface Prepared {
  readonly secret: SecretConfig;
  /** Decides on it, and reports what happens to it. @throws RequestRefusedError */
  declare(): Declaration;
}

/**
 * Prepares every secret of the config: loads and queries what its declaration needs. Any refusal comes before the first
 * resource is declared.
 *
 * @throws RequestRefusedError, ConfigError
 */
export async function prepareSecrets(
  config: Config,
  { previous, recorded }: Known,
  platform: Platform,
  now: Date,
  seen: SeenOutside,
): Promise<readonly Prepared[]> {
  const isKnown = (name: string) => previous[name] !== undefined;
  return Promise.all(
    config.secrets.map(async (secret) => {
      const { name } = secret;
      const before = previous[name];
      assertUnchanged(secret, before);
      const stack = { config, platform, now, before, recorded: recorded[name], isKnown };
      const declare = await kindFor(secret).declare(secret, stack, seen[name] ?? {});
      return {
        secret,
        declare: () => {
          const behind = before && clockBehind(name, before.state, now);
          const paused = pauseOver(name, policyOf(config, secret), now);
          for (const warning of [behind, paused]) if (warning !== undefined) void pulumi.log.warn(warning);
          const known = { finished: before?.state, recorded: recorded[name] };
          return declare(decideSecret(config, secret, known, now, seen[name]), rolledOutBy(before));
        },
      };
    }),
  );
}

/** A secret's part of the stack's output `secrets`, from which the next update decides. */
export const outputOf = ({ description, state }: StackSecret): pulumi.Output<Record<string, unknown>> =>
  pulumi
    .all([description, state])
    .apply(([about, now]): Record<string, unknown> => ({ ...about, restartedBy: RESTARTED_BY, state: now }));

/** Declares all of them in the config's order. Returns the stack's output. @throws RequestRefusedError */
export function createSecrets(prepared: readonly Prepared[]): Record<string, unknown> {
  const outputs: Record<string, unknown> = {};
  const earlier: { readonly secret: SecretConfig; readonly last: pulumi.Resource }[] = [];
  for (const { secret, declare } of prepared) {
    const dependsOn = earlier.filter((one) => waitsFor(secret, one.secret)).map(({ last }) => last);
    const made = declare().create(slugOf(secret.name), { dependsOn });
    outputs[secret.name] = outputOf(made);
    earlier.push({ secret, last: made.last });
  }
  return outputs;
}
