import type { VaultStaticConfig } from "../../config";
import type { Kind } from "../kind";
import { vaultStaticAsks } from "./asks";
import { seeVaultRotation } from "./last-rotation";
import { nextVaultState } from "./next-state";
import { operations } from "./operations";

/** When Vault rotated last; left out if the stack has not adopted the secret yet. */
export interface RotationSeen {
  readonly rotation?: string | undefined;
}

/** A password that Vault rotates by itself. */
export const vaultStatic: Kind<VaultStaticConfig, RotationSeen> = {
  asks: vaultStaticAsks,
  observe: async (secret, { config, finished }) => ({
    rotation: finished === undefined ? undefined : await seeVaultRotation(config, secret),
  }),
  rules: (_secret, _config, { rotation }) => ({
    next: (state, { now, policy, request, hold }) => nextVaultState(state, { now, policy, request, hold, rotation }),
    modeOf: vaultStaticAsks.modeOf,
    canFinish: () => true,
  }),
  declare: async (secret, stack) => (await import("./declare")).declareVaultStatic(secret, stack),
  operations,
};
