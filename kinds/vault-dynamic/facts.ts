import { storeOf } from "../../components/stored-values";
import { type Config, leaseRoleOf, referenceOf, type VaultDynamicConfig } from "../../config";
import type { SecretState } from "../../core/state";
import { vaultOf } from "../../stores";
import { leaseFingerprint } from "./definition";
import { type HeldLease, heldLeases, type LeaseProof, proveRole, readRole } from "./lease";

type Reach = Pick<Config, "store" | "environment">;

/** Whether the config's definition of the logins differs from that of the last finished update. */
export const definitionChanged = (secret: VaultDynamicConfig, state: SecretState): boolean =>
  state.labels[state.active] !== leaseFingerprint(secret);

/** The source of a service's logins. */
export const leasePath = (secret: VaultDynamicConfig, service: string): string =>
  `${secret.vault.mount}/creds/${leaseRoleOf(secret, service)}`;

/** The path of the role that makes them. */
export const rolePath = (secret: VaultDynamicConfig, service: string): string =>
  `${secret.vault.mount}/roles/${leaseRoleOf(secret, service)}`;

/** The leases that a service's role has now. @throws StepError */
export const leasesOf = (config: Reach, secret: VaultDynamicConfig, service: string): Promise<HeldLease[]> =>
  heldLeases(vaultOf(storeOf(config)), leasePath(secret, service));

/** How long the role in Vault lets a login live, in seconds; undefined if there is no such role. @throws StepError */
export const roleInVault = (config: Reach, secret: VaultDynamicConfig, service: string) =>
  readRole(vaultOf(storeOf(config)), secret.vault.mount, leaseRoleOf(secret, service));

/** Has Vault make one login for a service, logs in with it, and ends it. @throws StepError */
export function proveLease(config: Reach, secret: VaultDynamicConfig, service: string): Promise<LeaseProof> {
  return proveRole(vaultOf(storeOf(config)), {
    mount: secret.vault.mount,
    role: leaseRoleOf(secret, service),
    owner: secret.role,
    database: referenceOf(secret.database),
  });
}
