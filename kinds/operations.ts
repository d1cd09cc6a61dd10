import type { SecretConfig } from "../config";
import type { PhaseTable } from "../core/phases";
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

/** What the rotations of all kinds consist of, beside what every rotation has. */
export const phasesOfKinds = (): readonly PhaseTable[] =>
  Object.values<KindOperations<never>>(OPERATIONS).flatMap(({ phases }) => phases);
