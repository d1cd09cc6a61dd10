import type { VaultDynamicConfig } from "../../config";
import type { Declare, DeclaredIn } from "../kind";
import { declareVaultMade } from "../vault-engine/declare";
import { VaultDynamicLogins } from "./component";

/** Declares logins that Vault makes for a short time. */
export const declareVaultDynamic = (secret: VaultDynamicConfig, stack: DeclaredIn): Promise<Declare> =>
  declareVaultMade(VaultDynamicLogins, secret, stack);
