import type { SecretConfig } from "../config";
import { alpacaKey } from "./alpaca-key/operations";
import type { KindOperations } from "./kind-operations";
import { postgresPassword } from "./postgres-password/operations";
import { type KindName, kindOf } from "./schemas";
import { vaultDynamic } from "./vault-dynamic/operations";
import { vaultStatic } from "./vault-static/operations";

/** What each kind of secret provides to the CLI. */
const OPERATIONS = {
  "alternating-users": postgresPassword,
  "single-user": postgresPassword,
  "vault-static": vaultStatic,
  "vault-dynamic": vaultDynamic,
  "alpaca-key": alpacaKey,
} as const satisfies Readonly<Record<KindName, KindOperations<never>>>;

/** What a secret's kind provides to the CLI. */
export const operationsOf = (secret: SecretConfig): KindOperations<SecretConfig> => OPERATIONS[kindOf(secret)];
