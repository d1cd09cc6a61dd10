import type { KindAsks } from "../../components/preflight-input";
import type { VaultStaticConfig } from "../../config";
import { modeOf } from "../../core/decide";
import { engineAsked, madeByVaultAsks } from "../vault-engine/asks";

/** What the preflight checks for a password that Vault rotates. */
export const vaultStaticAsks: KindAsks<VaultStaticConfig> = {
  ...madeByVaultAsks,
  modeOf(state) {
    const mode = modeOf(state);
    // Vault's own rotation must be rolled out whether the market is open or not: new logins fail meanwhile.
    const rolledOut = mode === "rotation" && state.step.action === "ROTATE" && !state.forced;
    return rolledOut ? "repair" : mode;
  },
  own(question) {
    const { secret } = question;
    const role = { mount: secret.vault.mount, name: secret.staticRole };
    return { vaultRole: { ...role, ...engineAsked(question), schedule: secret.rotationSchedule !== undefined } };
  },
};
