import { type PostgresPasswordConfig, referenceOf } from "../../config";
import { adoptedGeneration } from "../../core/state";
import type { KindOperations } from "../kind-operations";
import { recognisePassword } from "../own-password/recognise";
import { knownLogins, loginInUse, loginsOf } from "./credentials";
import { keptLogin, seeOldLogin } from "./old-logins";
import { postgresPasswordPhases } from "./phases";
import { activeUsername } from "./roles";

/** A password that this stack makes and writes into the store. */
export const operations = {
  phases: [postgresPasswordPhases],
  supply: undefined,
  adoption: {
    recognise: ({ role }, document) => recognisePassword(document, role),
    isOurs: (stack, secret, states, value) =>
      states.some((state) => {
        const { active, previous } = loginsOf(stack, secret, state);
        return [active, previous].some(
          (login) => login?.password === value && login.generation !== adoptedGeneration(state),
        );
      }),
    prove: async (secret, state, password) => {
      const username = state === undefined ? secret.role : activeUsername(secret.strategy, secret.role, state);
      const { tryLogin } = await import("../../clients/postgres");
      const { outcome, evidence } = await tryLogin(referenceOf(secret.database), { username, password });
      return { user: username, failure: outcome === "works" ? undefined : evidence };
    },
  },
  otherwise: "definition changed",
  noWayBack: () => undefined,
  status: () => ({}),
  kept: async (secret, state, policy, observed) =>
    keptLogin(secret, state, await seeOldLogin(secret, policy, state, observed), policy, observed.now),
  watch: async (...asked) => (await import("./watch-login")).watchLogin(...asked),
  known: knownLogins,
  inUse: loginInUse,
  tryParts: async (_, ...asked) => (await import("./see-login")).tryLeaked(...asked),
  endSessions: async (...asked) => (await import("./end-sessions")).endSessions(...asked),
  diagnose: async (...asked) => (await import("./diagnose")).passwordFindings(...asked),
  validate: async (...asked) => (await import("./validate")).passwordChecks(...asked),
  rehearse: async (...asked) => (await import("./rehearsal/now")).rehearseNow(...asked),
} as const satisfies KindOperations<PostgresPasswordConfig>;
