import { tryLogin } from "../../clients/postgres";
import { sameAsStored } from "../../components/stored-values";
import { type PostgresPasswordConfig, policyOf, referenceOf } from "../../config";
import { utc } from "../../core/clock";
import { graceEndsAt, graceLimitAt, oldEnded } from "../../core/deadlines";
import type { SecretState } from "../../core/state";
import type { Check, StackView } from "../kind-operations";
import { loginsOf } from "./credentials";
import { keptLogin, seeOldLogin } from "./old-logins";
import { pathsThatTake, refusalOver } from "./paths/prove";
import { databasePathsOf, pathName } from "./paths/schema";
import { sessionsInUse } from "./sessions";

/** This stack has the value: the store must hold it, it must work, and the previous one must end in time. */
export function passwordChecks(stack: StackView, secret: PostgresPasswordConfig, state: SecretState): Check[] {
  const { config, now } = stack;
  const { active, previous } = loginsOf(stack, secret, state);
  const known = () => {
    if (active === undefined) throw new Error("the stack's state does not hold the value in use");
    return active;
  };
  return [
    {
      point: "secret updated",
      look: async () => sameAsStored(config, known().entries),
    },
    {
      point: "new credential works",
      look: async () => {
        const { outcome, evidence } = await tryLogin(referenceOf(secret.database), known());
        if (outcome !== "works") throw new Error(evidence);
        return evidence;
      },
    },
    ...databasePathsOf(secret).map((path) => ({
      point: `new credential works over ${pathName(path)}`,
      look: async () => {
        const answer = await tryLogin(path, known());
        if (answer.outcome !== "works") throw new Error(refusalOver(path, answer));
        return answer.evidence;
      },
    })),
    {
      point: "services use it",
      look: async () => sessionsInUse(stack, secret, state, known().username, previous?.username),
    },
    {
      point: "old credential invalid",
      look: async () => {
        if (previous === undefined) return "there is none, or its value is not known";
        const { outcome, evidence } = await tryLogin(referenceOf(secret.database), previous);
        if (outcome === "unknown") throw new Error(evidence);
        // A path that does not answer says nothing; the point above it does.
        const over = await pathsThatTake(secret, previous);
        const works = outcome === "works" || over.length > 0;
        const policy = policyOf(config, secret);
        const kept = keptLogin(secret, state, await seeOldLogin(secret, policy, state, { config, now }), policy, now);
        if (works && kept !== undefined && now < graceLimitAt(state, policy)) {
          return `still valid, since it is in use: ${kept.users}; revoked at ${utc(graceLimitAt(state, policy))} in any case`;
        }
        const words = over.length === 0 ? evidence : `${evidence}, over ${over.join(", ")} too`;
        return oldEnded(works, words, state, graceEndsAt(state, policy), now);
      },
    },
  ];
}
