import { sayPlan } from "../../components/say-plan";
import { policyOf, type VaultStaticConfig } from "../../config";
import { type Declare, type DeclaredIn, declaration } from "../kind";
import { vaultDatabasesOf } from "../vault-engine/database";
import { VaultStaticPassword } from "./component";

/** Declares a password that Vault rotates. */
export async function declareVaultStatic(secret: VaultStaticConfig, stack: DeclaredIn): Promise<Declare> {
  const { platform, recorded } = stack;
  const databases = await vaultDatabasesOf(stack);
  const policy = policyOf(stack.config, secret);
  return (decision, { rolledOut, finished }) => {
    sayPlan(decision);
    return declaration(VaultStaticPassword, {
      config: secret,
      databases,
      state: decision.state,
      recorded,
      rolledOut,
      finished,
      policy,
      platform,
    });
  };
}
