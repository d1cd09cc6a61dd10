import { hostInUrl } from "../../core/schema-parts";
import type { OfKind } from "../../core/traits";
import type { VaultDynamicConfig } from "../vault-dynamic/schema";
import type { VaultStaticConfig } from "../vault-static/schema";

/** A database password that Vault makes. */
export type VaultPasswordConfig = VaultStaticConfig | VaultDynamicConfig;

/** The description of a mount of the database secrets engine that a stack of this program made. */
export const MOUNT_DESCRIPTION = "logins for services, by secret-rotation";

/** A Vault secret, even if another key is wrong and the defaults are not set yet. */
type Placed = Pick<VaultPasswordConfig, "vault" | "database">;

/** The connection's name in Vault. */
export const connectionOf = ({ vault, database }: Placed): string => vault.connection ?? database.name;

/** How Vault reaches the database; it puts its own login in. */
export function connectionUrl({ vault, database }: Placed): string {
  const { host = database.host, port = database.port } = vault;
  return `postgresql://{{username}}:{{password}}@${hostInUrl(host)}:${port}/${database.name}?sslmode=${database.sslmode}`;
}

/** The names of a secret's roles in Vault. */
export const rolesInVault = (secret: VaultPasswordConfig): string[] =>
  isRotatedByVault(secret) ? [secret.staticRole] : secret.restart.map((service) => leaseRoleOf(secret, service));

/** The role in Vault that a service gets its short-lived logins from. */
export const leaseRoleOf = (secret: Placed, service: string): string => `${service}-${connectionOf(secret)}`;

/** The roles that a secret's connection allows: those of every secret that shares it. */
export function allowedRoles(secrets: readonly VaultPasswordConfig[], secret: VaultPasswordConfig): string[] {
  return secrets
    .filter((other) => other.vault.mount === secret.vault.mount && connectionOf(other) === connectionOf(secret))
    .flatMap(rolesInVault);
}

/** The engine's part of a secret in the preflight's input, without a secret value. */
export function vaultEngineOf(secrets: readonly VaultPasswordConfig[], secret: VaultPasswordConfig) {
  const { mount, createMount, username } = secret.vault;
  return {
    mount,
    createMount,
    connection: {
      name: connectionOf(secret),
      username,
      url: connectionUrl(secret),
      roles: allowedRoles(secrets, secret),
    },
  };
}

/** Whether Vault's database secrets engine makes the value. */
export const isMadeByVault = (secret: OfKind): secret is VaultPasswordConfig =>
  isRotatedByVault(secret) || isLeased(secret);

/** Whether Vault rotates one password of one role by itself. */
export const isRotatedByVault = (secret: OfKind): secret is VaultStaticConfig => secret.strategy === "vault-static";

/** Whether Vault makes logins that end by themselves, so that nothing has to rotate them by age. */
export const isLeased = (secret: OfKind): secret is VaultDynamicConfig => secret.strategy === "vault-dynamic";
