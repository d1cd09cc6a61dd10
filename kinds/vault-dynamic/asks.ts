import type { KindAsks } from "../../components/preflight-input";
import type { VaultDynamicConfig } from "../../config";
import { engineAsked, madeByVaultAsks } from "../vault-engine/asks";
import { leaseRoleOf } from "../vault-engine/engine";

/** What the preflight of short-lived logins checks. */
export const vaultDynamicAsks: KindAsks<VaultDynamicConfig> = {
  ...madeByVaultAsks,
  own(question) {
    const { secret } = question;
    const roles = secret.restart.map((service) => leaseRoleOf(secret, service));
    return { leases: { ...engineAsked(question), roles } };
  },
};
