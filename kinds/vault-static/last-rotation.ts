import type { Config, VaultStaticConfig } from "../../config";
import { messageOf } from "../../core/errors";
import { UnavailableError } from "../../core/unavailable";
import { vaultOf } from "../../stores";
import { findRotation } from "../vault-engine/role";

/**
 * Queries Vault for its last rotation of a password that this stack has adopted.
 * @throws UnavailableError with one message: what was queried, what was found, what helps
 */
export async function seeVaultRotation(config: Pick<Config, "store">, secret: VaultStaticConfig): Promise<string> {
  const rotation = await lastRotation(config, secret);
  if (rotation !== undefined) return rotation;
  throw new UnavailableError(
    `${secret.name}: Vault has no role at ${placeOf(secret)} any more; services cannot read their login. Make it again with ` +
      "`pulumi up --refresh` once it is known why it is gone; nothing was changed.",
  );
}

const placeOf = ({ vault, staticRole }: VaultStaticConfig) => `${vault.mount}/static-roles/${staticRole}`;

async function lastRotation({ store }: Pick<Config, "store">, secret: VaultStaticConfig): Promise<string | undefined> {
  try {
    return await findRotation(vaultOf(store), { mount: secret.vault.mount, name: secret.staticRole });
  } catch (error) {
    throw new UnavailableError(
      `${secret.name}: cannot ask Vault when it rotated ${placeOf(secret)} last: ${messageOf(error)}; nothing was changed.`,
    );
  }
}
