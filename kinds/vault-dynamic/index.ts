import type { VaultDynamicConfig } from "../../config";
import type { Kind } from "../kind";
import { vaultDynamicAsks } from "./asks";
import { leaseFingerprint } from "./definition";
import { nextLeaseState } from "./next-state";
import { operations } from "./operations";

/** Logins that Vault makes for a short time. Only the config decides: nothing is observed. */
export const vaultDynamic: Kind<VaultDynamicConfig> = {
  asks: vaultDynamicAsks,
  observe: async () => ({}),
  rules: (secret) => ({
    next: (state, { now, request }) => nextLeaseState(state, { now, request, definition: leaseFingerprint(secret) }),
    modeOf: vaultDynamicAsks.modeOf,
    canFinish: () => true,
  }),
  declare: async (secret, stack) => (await import("./declare")).declareVaultDynamic(secret, stack),
  operations,
};
