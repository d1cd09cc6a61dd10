import { sayPlan } from "../../components/say-plan";
import { policyOf, type VaultPasswordConfig } from "../../config";
import { type Component, type Declare, type DeclaredIn, declaration } from "../kind";
import type { VaultCredentialArgs } from "./credential";
import { vaultDatabasesOf } from "./database";

/** Declares a secret that Vault makes, as its kind's component. */
export async function declareVaultMade<C extends VaultPasswordConfig>(
  component: Component<VaultCredentialArgs<C>>,
  secret: C,
  stack: DeclaredIn,
): Promise<Declare> {
  const { platform, recorded } = stack;
  const databases = await vaultDatabasesOf(stack);
  const policy = policyOf(stack.config, secret);
  return (decision, { rolledOut, finished }) => {
    sayPlan(decision);
    const { state } = decision;
    return declaration(component, {
      config: secret,
      databases,
      state,
      recorded,
      rolledOut,
      finished,
      policy,
      platform,
    });
  };
}
