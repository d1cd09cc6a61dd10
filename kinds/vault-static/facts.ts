import { isUnseen, seen } from "../../components/seen";
import { storeOf } from "../../components/stored-values";
import type { Config, VaultStaticConfig } from "../../config";
import type { SecretState } from "../../core/state";
import { vaultOf } from "../../stores";
import type { LoginSeen } from "../kind-operations";
import { seeLogin } from "../postgres-password/see-login";
import { findRotation, readLogin } from "../vault-engine/role";
import { isNewer } from "./next-state";

type Reach = Pick<Config, "store" | "environment">;

const roleOf = (secret: VaultStaticConfig) => ({ mount: secret.vault.mount, name: secret.staticRole });

/** When Vault rotated it last; undefined if it has no such role. @throws StepError */
export const lastRotation = (config: Reach, secret: VaultStaticConfig) =>
  findRotation(vaultOf(storeOf(config)), roleOf(secret));

/** Vault's rotation that services were not restarted after; undefined if there is none. @throws StepError */
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

/** Tries what Vault hands out. Never throws. */
export async function seeIssued(config: Reach, secret: VaultStaticConfig, generation: number): Promise<LoginSeen> {
  const login = await seen(() => issuedLogin(config, secret));
  if (isUnseen(login)) return { generation, name: secret.role, of: "database", answer: login };
  return seeLogin(secret, { generation, username: login.username, password: login.password });
}
