import type { VaultStaticConfig } from "../../config";
import type { Declare, DeclaredIn } from "../kind";
import { declareVaultMade } from "../vault-engine/declare";
import { VaultStaticPassword } from "./component";

/** Declares a password that Vault rotates. */
export const declareVaultStatic = (secret: VaultStaticConfig, stack: DeclaredIn): Promise<Declare> =>
  declareVaultMade(VaultStaticPassword, secret, stack);
