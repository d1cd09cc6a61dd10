import { passwordAdvice } from "../../components/foreign-advice";
import type { KindAsks } from "../../components/preflight-input";
import { modeOf } from "../../core/decide";
import { redisOf } from "./reference";
import type { RedisPasswordConfig } from "./schema";

/** What the preflight checks for a Redis password. */
export const redisPasswordAsks: KindAsks<RedisPasswordConfig> = {
  modeOf,
  // A rollback and an emergency leave the credential in use behind, whatever the store holds of it.
  asksInUse: (mode, force) => mode === "rotation" || force,
  // Nothing else may be overwritten unseen.
  expected: () => [],
  whenForeign: ({ name }, { stack }, inUse) => passwordAdvice(name, stack, inUse),
  own: ({ secret }) => {
    const { sentinel } = secret;
    return { redis: { ...redisOf(secret), ...(sentinel === undefined ? {} : { sentinel }) } };
  },
};
