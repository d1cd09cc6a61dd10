import type { Config, VaultStaticConfig } from "../../config";
import type { SecretState } from "../../core/state";
import { findRotation, readLogin } from "../../kinds/vault-engine/role";
import { isNewer } from "../../kinds/vault-static/next-state";
import { vaultOf } from "../../stores";
import { storeOf } from "./preflight-input";

type Reach = Pick<Config, "store" | "environment">;

const roleOf = (secret: VaultStaticConfig) => ({ mount: secret.vault.mount, name: secret.staticRole });

/** When Vault rotated it last; undefined where it has no such role. @throws StepError */
export const lastRotation = (config: Reach, secret: VaultStaticConfig) =>
  findRotation(vaultOf(storeOf(config)), roleOf(secret));

/** Vault's rotation that services were not restarted after; undefined where there is none. @throws StepError */
export async function unseenRotation(
  config: Reach,
  secret: VaultStaticConfig,
  state: SecretState,
): Promise<string | undefined> {
  const rotation = await lastRotation(config, secret);
  return rotation !== undefined && isNewer(rotation, state.vaultRotation) ? rotation : undefined;
}

/** What Vault hands out to the services. Keep the password in memory. @throws StepError */
export const issuedLogin = (config: Reach, secret: VaultStaticConfig) =>
  readLogin(vaultOf(storeOf(config)), roleOf(secret));
