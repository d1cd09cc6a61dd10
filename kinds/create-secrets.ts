import * as pulumi from "@pulumi/pulumi";
import type { Platform } from "../components/platform";
import type { Known, PreviousSecret } from "../components/previous-secrets";
import { waitsFor } from "../components/rotation-order";
import { type Config, policyOf, type SecretConfig } from "../config";
import { clockBehind } from "../core/clock";
import { RequestRefusedError } from "../core/request";
import { activation } from "../core/state";
import { pauseOver } from "../core/waiting";
import { decideSecret, kindFor, type SeenOutside } from ".";

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

/**
 * Declares every secret of the config in its order, and reports what happens to each. Returns the stack's output.
 *
 * @throws RequestRefusedError, ConfigError
 */
export async function createSecrets(
  config: Config,
  { previous, recorded }: Known,
  platform: Platform,
  now: Date,
  seen: SeenOutside,
): Promise<Record<string, unknown>> {
  const isKnown = (name: string) => previous[name] !== undefined;
  const prepared = await Promise.all(
    config.secrets.map(async (secret) => {
      const { name } = secret;
      const before = previous[name];
      assertUnchanged(secret, before);
      const stack = { config, platform, now, before, recorded: recorded[name], isKnown };
      return { secret, declare: await kindFor(secret).declare(secret, stack, seen[name] ?? {}) };
    }),
  );
  // No await from here on: any refusal comes before the first resource is declared.
  const outputs: Record<string, unknown> = {};
  const earlier: { readonly secret: SecretConfig; readonly last: pulumi.Resource }[] = [];
  for (const { secret, declare } of prepared) {
    const { name } = secret;
    const dependsOn = earlier.filter((one) => waitsFor(secret, one.secret)).map(({ last }) => last);
    const before = previous[name];
    const behind = before && clockBehind(name, before.state, now);
    const paused = pauseOver(name, policyOf(config, secret), now);
    for (const warning of [behind, paused]) if (warning !== undefined) void pulumi.log.warn(warning);
    const known = { finished: before?.state, recorded: recorded[name] };
    const decision = decideSecret(config, secret, known, now, seen[name]);
    const made = declare(decision, { rolledOut: rolledOutBy(before), dependsOn });
    outputs[name] = pulumi
      .all([made.description, made.state])
      .apply(([about, state]): Record<string, unknown> => ({ ...about, restartedBy: RESTARTED_BY, state }));
    earlier.push({ secret, last: made.last });
  }
  return outputs;
}
