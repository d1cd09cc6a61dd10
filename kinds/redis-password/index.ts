import { policyOf } from "../../config";
import { nextState } from "../../core/next-state";
import { passwordRule } from "../../core/password-rule";
import { without } from "../../core/without";
import type { Kind } from "../kind";
import { redisPasswordAsks } from "./asks";
import { type RedisSeen, seeOldPassword } from "./old-password";
import { operations } from "./operations";
import type { RedisPasswordConfig } from "./schema";

/** A password of an ACL user of Redis or Valkey, who has the new and the previous one at once. */
export const redisPassword: Kind<RedisPasswordConfig, RedisSeen> = {
  asks: redisPasswordAsks,
  observe: async (secret, { config, finished, now }) => ({
    previousInUse: await seeOldPassword(secret, policyOf(config, secret), finished, now),
  }),
  rules: (secret, { adopted }, { previousInUse }) => ({
    next: (state, situation) =>
      nextState(state, {
        ...situation,
        // Nobody watches its users between two updates.
        policy: without(situation.policy, "quietPeriod"),
        hasAdopted: adopted[secret.name] !== undefined,
        previousInUse,
        rule: secret.passwordRule && passwordRule(secret.passwordRule),
      }),
    modeOf: redisPasswordAsks.modeOf,
    canFinish: () => true,
  }),
  declare: async (secret, stack, seen) => (await import("./declare")).declareRedisPassword(secret, stack, seen),
  operations,
};
