import * as pulumi from "@pulumi/pulumi";
import { sayPlan } from "../../components/say-plan";
import { assertReadable, shapeBefore } from "../../components/shape-change";
import { policyOf } from "../../config";
import { documentShape } from "../../core/document-settings";
import { type Declare, type DeclaredIn, declaration } from "../kind";
import { RedisPassword } from "./component";
import { keptPassword, type RedisSeen } from "./old-password";
import { type RedisPasswordConfig, redisDocument } from "./schema";

/** Declares a Redis password. @throws RequestRefusedError if the config requests what is impossible; nothing was changed then */
export async function declareRedisPassword(
  secret: RedisPasswordConfig,
  { config, platform, before, recorded }: DeclaredIn,
  { previousInUse }: RedisSeen,
): Promise<Declare> {
  assertReadable(secret, documentShape(secret, redisDocument(secret)), before);
  const policy = policyOf(config, secret);
  const value = config.adopted[secret.name];
  return (decision, { rolledOut, finished, sharing }) => {
    const { state, force } = decision;
    sayPlan(decision);
    const kept = keptPassword(secret, state, previousInUse, policy);
    if (kept !== undefined) void pulumi.log.warn(kept);
    if (before === undefined && value === undefined) {
      void pulumi.log.warn(
        `${secret.name}: the password in use is not known, so there is nothing to roll back to until the second rotation, and ` +
          `${secret.user} keeps it for good. To change that: \`pulumi config set --secret --path 'adopted["${secret.name}"]'\``,
      );
    }
    return declaration(RedisPassword, {
      config: secret,
      state,
      recorded,
      rolledOut,
      finished,
      sharing,
      force,
      policy,
      platform,
      adopted: value === undefined ? undefined : pulumi.secret(value),
      kept: shapeBefore(before),
    });
  };
}
