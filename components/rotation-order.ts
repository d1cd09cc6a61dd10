import { type DatabasePasswordConfig, hasDatabase, type SecretConfig, traitsOf } from "../config";

/**
 * Whether a secret rotates only after another one that precedes it in the config. API keys wait and are waited for
 * (runbook: the database first), as are passwords of the same database, passwords with a service in common, and what Vault
 * rotates itself. Other passwords have nothing in common and rotate at the same time.
 */
export function waitsFor(secret: SecretConfig, earlier: SecretConfig): boolean {
  if (!hasDatabase(secret) || !hasDatabase(earlier)) return true;
  if ([secret, earlier].every((one) => traitsOf(one).suppliedBy === "vault")) return true;
  const database = (one: DatabasePasswordConfig) =>
    JSON.stringify([one.database.host, one.database.port, one.database.name]);
  if (database(secret) === database(earlier)) return true;
  return secret.restart.some((service) => earlier.restart.includes(service));
}
