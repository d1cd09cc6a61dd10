import { type Config, isRotatedByVault, type VaultStaticConfig } from "../../config";
import { messageOf } from "../../core/errors";
import { vaultOf } from "../../stores";
import { findRotation } from "../vault-engine/role";

/** Vault could not be asked when it rotated a password last. Nothing was changed. */
export class VaultUnavailableError extends Error {
  override readonly name = "VaultUnavailableError";
}

/** When Vault rotated last, by the secret's name; left out where Vault has no such role yet. */
export type VaultRotations = Readonly<Record<string, string | undefined>>;

/**
 * Asks Vault about every password that it rotates and this stack has taken over (`known`).
 * @throws VaultUnavailableError with one message: what was asked, what was found, what helps
 */
export async function seeVaultRotations(config: Config, known: (secret: string) => boolean): Promise<VaultRotations> {
  const seen: Record<string, string> = {};
  for (const secret of config.secrets) {
    if (!isRotatedByVault(secret) || !known(secret.name)) continue;
    const rotation = await lastRotation(config, secret);
    if (rotation === undefined) {
      throw new VaultUnavailableError(
        `${secret.name}: Vault has no role at ${placeOf(secret)} any more; services cannot read their login. Make it again with ` +
          "`pulumi up --refresh` once somebody knows why it is gone; nothing was changed.",
      );
    }
    seen[secret.name] = rotation;
  }
  return seen;
}

const placeOf = ({ vault, staticRole }: VaultStaticConfig) => `${vault.mount}/static-roles/${staticRole}`;

async function lastRotation({ store }: Config, secret: VaultStaticConfig): Promise<string | undefined> {
  try {
    return await findRotation(vaultOf(store), { mount: secret.vault.mount, name: secret.staticRole });
  } catch (error) {
    throw new VaultUnavailableError(
      `${secret.name}: cannot ask Vault when it rotated ${placeOf(secret)} last: ${messageOf(error)}; nothing was changed.`,
    );
  }
}
