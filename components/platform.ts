import type * as pulumi from "@pulumi/pulumi";
import type { HostConfig, ServiceConfig } from "../config";
import type { AuditTarget } from "./audit-record";
import { type MarketClock, marketClock, referenceOf } from "./preflight-input";
import type { SecretStore } from "./secret-store";
import type { VaultDatabases } from "./vault-database";

/** What all secrets of a stack share. */
export interface Platform {
  readonly store: SecretStore;
  /** Vault's database secrets engine; undefined where no secret is made by it. */
  readonly vaultDatabases?: VaultDatabases | undefined;
  readonly services: Readonly<Record<string, ServiceConfig>>;
  readonly hosts: Readonly<Record<string, HostConfig>>;
  /** Opens every host. Undefined where no service has a host. */
  readonly privateKey: pulumi.Output<string> | undefined;
  /** Asked whether the market is open. Undefined where the config names no API. */
  readonly marketClock: MarketClock | undefined;
  readonly allowOpenMarket: boolean;
  /** How long before a rotation by age the team must have been told, in milliseconds; undefined where it need not. */
  readonly notice: number | undefined;
  readonly audit: AuditTarget;
  /** The lab's clock; undefined everywhere else. */
  readonly clock: string | undefined;
  /** What a saved plan is held to: `planBasis`. */
  readonly planBasis: readonly string[];
}

/** The services a secret names, in its order. */
export function servicesOf(names: readonly string[], services: Platform["services"]) {
  return names.map((name) => {
    const config = services[name];
    if (config === undefined) throw new Error(`the secret restarts ${name}, which is not in \`services\``);
    return { name, config };
  });
}

export { marketClock, referenceOf as databaseReference };
