import { sameAsStored } from "../../components/stored-values";
import { policyOf } from "../../config";
import { utc } from "../../core/clock";
import { graceEndsAt, graceLimitAt, oldEnded } from "../../core/deadlines";
import type { SecretState } from "../../core/state";
import type { Check, StackView } from "../kind-operations";
import { tryEverywhere, whereItWorks } from "./connection";
import { passwordsOf } from "./credentials";
import { seeOldPassword } from "./old-password";
import { redisOf } from "./reference";
import type { RedisPasswordConfig } from "./schema";
import { clientWords, connections, fromBeforeNow } from "./use";

/** This stack has the value: the store must hold it, every server must take it, and the previous one must end in time. */
export function redisPasswordChecks(stack: StackView, secret: RedisPasswordConfig, state: SecretState): Check[] {
  const { config, now } = stack;
  const redis = redisOf(secret);
  const { active, previous } = passwordsOf(stack, secret, state);
  const known = () => {
    if (active === undefined) throw new Error("the stack's state does not hold the value in use");
    return active;
  };
  return [
    { point: "secret updated", look: async () => sameAsStored(config, known().entries) },
    {
      point: "new credential works",
      look: async () => {
        const { outcome, evidence } = await tryEverywhere(redis, known().password);
        if (outcome !== "works") throw new Error(evidence);
        return evidence;
      },
    },
    {
      point: "services use it",
      look: async () => {
        const all = await connections(redis);
        if (all.length === 0)
          throw new Error(`no client is logged in as ${secret.user}; expected those of ${secret.restart.join(", ")}`);
        const old = fromBeforeNow(all, state, stack);
        if (old.length > 0)
          throw new Error(
            `connections from before the rotation: ${clientWords(old)}; \`rotation diagnose --fix\` restarts the services`,
          );
        return `${all.length} connection(s) of ${secret.user}: ${clientWords(all)}`;
      },
    },
    {
      point: "old credential invalid",
      look: async () => {
        if (previous === undefined) return "there is none, or its value is not known";
        const { outcome, evidence } = await tryEverywhere(redis, previous.password);
        if (outcome === "unknown") throw new Error(evidence);
        const nodes = await whereItWorks(redis, previous.password);
        const policy = policyOf(config, secret);
        const inUse = await seeOldPassword(secret, policy, state, now);
        if (nodes.length > 0 && inUse !== undefined && inUse !== "" && now < graceLimitAt(state, policy))
          return `still valid, since it may be in use: ${inUse}; removed at ${utc(graceLimitAt(state, policy))} in any case`;
        const words = nodes.length === 0 ? evidence : `${secret.user} logs in to ${nodes.join(", ")}`;
        return oldEnded(nodes.length > 0, words, state, graceEndsAt(state, policy), now);
      },
    },
  ];
}
