import { type Config, isMadeByVault, type VaultStaticConfig, vaultEngineOf } from "../config";
import type { SecretState } from "../rotation/state";
import { isNewer } from "../rotation/vault-state";
import type { VaultRoleInput } from "../steps/checks/vault-role";
import { vaultClientOf } from "../steps/vault";
import { findRotation, readLogin } from "../steps/vault-role";
import { referenceOf } from "./audit-log";
import { storeOf } from "./preflight-input";

type Reach = Pick<Config, "store" | "environment">;

const roleOf = (secret: VaultStaticConfig) => ({ mount: secret.vault.mount, name: secret.staticRole });

/** What the preflight looks at, the same as in an update. */
export const vaultRoleOf = (
  { secrets }: Pick<Config, "secrets">,
  secret: VaultStaticConfig,
  state: SecretState | undefined,
): VaultRoleInput => ({
  ...roleOf(secret),
  engine: vaultEngineOf(secrets.filter(isMadeByVault), secret),
  schedule: secret.rotationSchedule !== undefined,
  database: { ...referenceOf(secret.database), role: secret.role },
  taken: state !== undefined,
});

/** When Vault rotated it last; undefined where it has no such role. @throws StepError */
export const lastRotation = (config: Reach, secret: VaultStaticConfig) =>
  findRotation(vaultClientOf(storeOf(config)), roleOf(secret));

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
  readLogin(vaultClientOf(storeOf(config)), roleOf(secret));
