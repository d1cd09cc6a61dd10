import { tryLogin } from "../../clients/postgres";
import { policyOf, referenceOf, type VaultStaticConfig } from "../../config";
import type { SecretState } from "../../core/state";
import type { Check, StackView } from "../kind-operations";
import { sessionsInUse } from "../postgres-password/sessions";
import { issuedLogin, unseenRotation } from "./facts";

/** Vault has the value: what it hands out must work, and services must have started since Vault rotated it last. */
export function rotationChecks(stack: StackView, secret: VaultStaticConfig, state: SecretState): Check[] {
  const { config, now } = stack;
  return [
    {
      point: "secret updated",
      look: async () => {
        const unseen = await unseenRotation(config, secret, state);
        if (unseen !== undefined)
          throw new Error(`Vault rotated it at ${unseen}, and the services were not restarted since: \`rotation run\``);
        return `Vault rotated it last at ${state.vaultRotation ?? "a time that is not known"}`;
      },
    },
    {
      point: "new credential works",
      look: async () => {
        const { outcome, evidence } = await tryLogin(referenceOf(secret.database), await issuedLogin(config, secret));
        if (outcome !== "works") throw new Error(evidence);
        return `${evidence} with what Vault hands out`;
      },
    },
    { point: "services use it", look: () => sessionsInUse(stack, secret, state, secret.role) },
    {
      point: "old credential invalid",
      look: async () => {
        const age = now.getTime() - Date.parse(state.rotatedAt);
        if (age > policyOf(config, secret).maxAge) throw new Error(`Vault has not rotated it since ${state.rotatedAt}`);
        return "a role has one password: Vault's rotation ended the previous one";
      },
    },
  ];
}
