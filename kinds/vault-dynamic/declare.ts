import { sayPlan } from "../../components/say-plan";
import { policyOf, type VaultDynamicConfig } from "../../config";
import { type Declare, type DeclaredIn, declaration } from "../kind";
import { vaultDatabasesOf } from "../vault-engine/database";
import { VaultDynamicLogins } from "./component";

/** Declares logins that Vault makes for a short time. */
export async function declareVaultDynamic(secret: VaultDynamicConfig, stack: DeclaredIn): Promise<Declare> {
  const { platform, recorded } = stack;
  const databases = await vaultDatabasesOf(stack);
  const policy = policyOf(stack.config, secret);
  return (decision, { rolledOut, finished }) => {
    sayPlan(decision);
    return declaration(VaultDynamicLogins, {
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
