import * as pulumi from "@pulumi/pulumi";
import * as vault from "@pulumi/vault";
import type { Platform } from "../../../components/platform";
import { StackStore } from "../../../components/stack-store";
import type { VaultPasswordConfig } from "../../../config";
import { VaultDatabases, type VaultDatabasesArgs } from "../../../kinds/vault-engine/database";
import { type Declared, declare } from "./strict-mocks";

const service = (port: number) => ({
  hosts: [],
  health: `http://localhost:${port}/health`,
  timeout: 60_000 as never,
});

/** What a program declares that keeps secrets in Vault and has Vault make them. */
export function declareVault(
  secrets: readonly VaultPasswordConfig[],
  program: (platform: Platform, databases: VaultDatabases) => pulumi.Output<unknown>,
  more: Pick<VaultDatabasesArgs, "leftMounts"> = {},
): Promise<Declared[]> {
  return declare(() => {
    const store = new StackStore({ kind: "vault", mount: "secret", environment: "paper" });
    const databases = new VaultDatabases({
      provider: new vault.Provider("vault", {}),
      reference: store.reference,
      environment: "paper",
      secrets,
      passwords: { trader: pulumi.secret("own-login-of-vault") },
      ...more,
    });
    const platform: Platform = {
      secrets,
      store,
      services: { orchestrator: service(8001), "signal-service": service(8000) },
      hosts: {},
      privateKey: undefined,
      marketClock: undefined,
      allowOpenMarket: true,
      notice: undefined,
      audit: { connection: { host: "db" }, stack: "paper", environment: "paper" },
      clock: undefined,
      planBasis: [],
    };
    return program(platform, databases);
  });
}
