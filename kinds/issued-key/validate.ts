import { sameAsStored } from "../../components/stored-values";
import { policyOf } from "../../config";
import { graceEndsAt, oldEnded } from "../../core/deadlines";
import type { SecretState } from "../../core/state";
import { connectIssuer } from "../issuer/connect";
import type { Check, StackView } from "../kind-operations";
import { credentialsOf } from "./credentials";
import type { IssuedConfig, IssuedKind } from "./issued-kind";

/** This stack has the values: the store must hold them, the issuer must accept them, and the previous ones must end in time. */
export function issuedChecks<S extends IssuedConfig>(
  kind: IssuedKind<S>,
  stack: StackView,
  secret: S,
  state: SecretState,
): Check[] {
  const { config, now } = stack;
  const { active, previous } = credentialsOf(kind, stack, secret, state);
  const issuer = connectIssuer(kind.referenceOf(secret));
  const known = () => {
    if (active === undefined) throw new Error("the stack's state does not hold the values in use");
    return active;
  };
  return [
    { point: "secret updated", look: async () => sameAsStored(config, known().entries) },
    {
      point: "new credential works",
      look: async () => {
        const { answer, evidence } = await issuer.verify(known().values);
        if (answer !== "works") throw new Error(evidence);
        return evidence;
      },
    },
    {
      point: "old credential invalid",
      look: async () => {
        if (previous === undefined) return "there is none, or its values are not known";
        const { answer, evidence } = await issuer.verify(previous.values);
        if (answer === "unknown") throw new Error(`${evidence}, which does not say that it ended`);
        return oldEnded(answer === "works", evidence, state, graceEndsAt(state, policyOf(config, secret)), now);
      },
    },
  ];
}
