import { type DatabasePasswordConfig, hasDatabase, type SecretConfig, traitsOf } from "../config";

/**
 * Whether a secret rotates only after another one, which stands before it in the config: an API key does and is waited
 * for (runbook: the database first), and so is a password of the same database, one that a service of its own restarts
 * for, and what Vault rotates itself. Other passwords have nothing in common and rotate at the same time.
 */
export function waitsFor(secret: SecretConfig, earlier: SecretConfig): boolean {
  if (!hasDatabase(secret) || !hasDatabase(earlier)) return true;
  if ([secret, earlier].every((one) => traitsOf(one).suppliedBy === "vault")) return true;
  const database = (one: DatabasePasswordConfig) =>
    JSON.stringify([one.database.host, one.database.port, one.database.name]);
  if (database(secret) === database(earlier)) return true;
  return secret.restart.some((service) => earlier.restart.includes(service));
}
