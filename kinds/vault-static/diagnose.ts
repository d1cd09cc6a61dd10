import type { VaultStaticConfig } from "../../config";
import type { SecretState } from "../../core/state";
import type { About, Finding, StackView } from "../kind-operations";
import { noAnswer, roleGone } from "../vault-engine/findings";
import { issuedLogin, lastRotation, unseenRotation } from "./facts";

/** A rotation by Vault without a restart of the services, or a missing role; also that Vault cannot be queried. */
export async function rotationFindings(
  stack: StackView,
  secret: VaultStaticConfig,
  state: SecretState,
  about: About,
): Promise<Finding[]> {
  try {
    return await lookAt(stack, secret, state, about);
  } catch (error) {
    return [noAnswer(error, about)];
  }
}

async function lookAt(stack: StackView, secret: VaultStaticConfig, state: SecretState, about: About) {
  const { config } = stack;
  if ((await lastRotation(config, secret)) === undefined)
    return [roleGone(stack, `${secret.vault.mount}/static-roles/${secret.staticRole}`, secret.role, about)];
  const unseen = await unseenRotation(config, secret, state);
  const { ttl } = await issuedLogin(config, secret);
  if (unseen === undefined) return [];
  return [
    about({
      cause: "Vault rotated the password, and the services were not restarted since",
      evidence: `last_vault_rotation ${unseen}, ttl ${ttl} s; known here: ${state.vaultRotation ?? "none"}`,
      command: stack.command("run"),
      fix: stack.finish,
    }),
  ];
}
