import { adoptedGeneration } from "../../core/state";
import type { KindOperations } from "../kind-operations";
import { recognisePassword } from "../own-password/recognise";
import { knownPasswords, passwordInUse, passwordsOf } from "./credentials";
import { keptPassword, seeOldPassword } from "./old-password";
import { redisPasswordPhases } from "./phases";
import { redisOf } from "./reference";
import type { RedisPasswordConfig } from "./schema";

/** A Redis password that this stack makes and writes into the store. */
export const operations = {
  phases: [redisPasswordPhases],
  supply: undefined,
  adoption: {
    recognise: ({ user }, document) => recognisePassword(document, user),
    isOurs: (stack, secret, states, value) =>
      states.some((state) => {
        const { active, previous } = passwordsOf(stack, secret, state);
        return [active, previous].some(
          (known) => known?.password === value && known.generation !== adoptedGeneration(state),
        );
      }),
    prove: async (secret, _state, password) => {
      const { tryEverywhere } = await import("./connection");
      const { outcome, evidence } = await tryEverywhere(redisOf(secret), password);
      return { user: secret.user, failure: outcome === "works" ? undefined : evidence };
    },
  },
  otherwise: "definition changed",
  noWayBack: () => undefined,
  status: () => ({}),
  kept: async (secret, state, policy, { now }) => {
    const users = await seeOldPassword(secret, policy, state, now);
    const words = keptPassword(secret, state, users, policy);
    return users === undefined || words === undefined ? undefined : { users, words };
  },
  known: knownPasswords,
  inUse: passwordInUse,
  tryParts: async (_, secret, { parts: { password } }) => {
    if (password === undefined) return undefined;
    const { tryEverywhere } = await import("./connection");
    const { outcome: answer, evidence } = await tryEverywhere(redisOf(secret), password);
    return { answer, evidence };
  },
  endSessions: async (...asked) => (await import("./end-connections")).endConnections(...asked),
  diagnose: async (...asked) => (await import("./diagnose")).redisFindings(...asked),
  rehearse: async (...asked) => (await import("./rehearse-now")).rehearseNow(...asked),
  validate: async (...asked) => (await import("./validate")).redisPasswordChecks(...asked),
} as const satisfies KindOperations<RedisPasswordConfig>;
