import type * as pulumi from "@pulumi/pulumi";
import type { Config, DatabaseConfig, HostConfig, ServiceConfig } from "../config";
import type { AuditTarget } from "./audit-record";
import type { MarketClock } from "./preflight";
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

/** How a step reaches a database; its password comes from PGPASSWORD or PGPASSFILE. */
export function databaseReference({ host, port, name, admin, sslmode }: DatabaseConfig): Record<string, unknown> {
  return { host, port, database: name, sslmode, ...(admin === undefined ? {} : { user: admin }) };
}

/** The services a secret names, in its order. */
export function servicesOf(names: readonly string[], services: Platform["services"]) {
  return names.map((name) => {
    const config = services[name];
    if (config === undefined) throw new Error(`the secret restarts ${name}, which is not in \`services\``);
    return { name, config };
  });
}

/** Alpaca's clock, asked with the pair that the first key of the config has in the store. */
export function marketClock({ alpaca, secrets }: Config): MarketClock | undefined {
  if (alpaca === undefined) return undefined;
  const key = secrets.find((secret) => secret.kind === "alpaca-key");
  return {
    baseUrl: alpaca.baseUrl,
    keyIdPath: key?.keyIdPath ?? "alpaca/api_key_id",
    secretKeyPath: key?.secretKeyPath ?? "alpaca/api_secret_key",
  };
}
