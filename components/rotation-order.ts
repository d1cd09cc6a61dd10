import { type DatabasePasswordConfig, isMadeByVault, type SecretConfig } from "../config";

/**
 * Whether a secret rotates only after another one, which stands before it in the config: an API key does and is waited
 * for (runbook: the database first), and so is a password of the same database, one that a service of its own restarts
 * for, and what Vault rotates itself. Other passwords have nothing in common and rotate at the same time.
 */
export function waitsFor(secret: SecretConfig, earlier: SecretConfig): boolean {
  if (secret.kind === "alpaca-key" || earlier.kind === "alpaca-key") return true;
  if (isMadeByVault(secret) && isMadeByVault(earlier)) return true;
  const database = (one: DatabasePasswordConfig) =>
    JSON.stringify([one.database.host, one.database.port, one.database.name]);
  if (database(secret) === database(earlier)) return true;
  return secret.restart.some((service) => earlier.restart.includes(service));
}
