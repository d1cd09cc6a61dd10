import * as pulumi from "@pulumi/pulumi";
import * as vault from "@pulumi/vault";
import type { Platform } from "../../../components/platform";
import type { VaultPasswordConfig } from "../../../config";
import { VaultDatabases, type VaultDatabasesArgs } from "../../../kinds/vault-engine/database";
import { platformOf, service } from "./platform";
import { type Declared, declare } from "./strict-mocks";

/** What a program declares that keeps secrets in Vault and has Vault make them. */
export function declareVault(
  secrets: readonly VaultPasswordConfig[],
  program: (platform: Platform, databases: VaultDatabases) => pulumi.Output<unknown>,
  more: Pick<VaultDatabasesArgs, "leftMounts"> = {},
): Promise<Declared[]> {
  return declare(() => {
    const platform = platformOf({
      secrets,
      services: { orchestrator: service([], 8001), "signal-service": service([], 8000) },
    });
    const databases = new VaultDatabases({
      provider: new vault.Provider("vault", {}),
      reference: platform.store.reference,
      environment: "paper",
      secrets,
      passwords: { trader: pulumi.secret("own-login-of-vault") },
      ...more,
    });
    return program(platform, databases);
  });
}
