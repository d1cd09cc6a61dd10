import type { Config } from "../../config";

/** Every way a secret rotates, with what the config says for it. */
export const STRATEGIES = [
  "single-user",
  "alternating-users",
  "alpaca-key",
  "api-key",
  "redis-password",
  "custom",
  "vault-static",
  "vault-dynamic",
] as const;

/** Every store. */
export const STORES = ["vault", "aws"] as const satisfies readonly Config["store"]["kind"][];

export type Strategy = (typeof STRATEGIES)[number];
export type Store = (typeof STORES)[number];

/** A cell that is, or one that the config refuses. */
export type Cell =
  | {
      /** The file in `test/engine` that shows the rotation by the real engine, and the rollback or that it is refused. */
      readonly shownBy: string;
      /** Why there is no rollback, in the words of the refusal; left out if there is one. */
      readonly noWayBack?: string;
    }
  | {
      /** Why the config refuses it, in its words. */
      readonly refused: string;
    };

const IN_VAULT_ALONE = { refused: "the credential is read from Vault itself, so store.kind must be vault" };

/** Every strategy in every store. */
export const MATRIX = {
  "single-user": { vault: { shownBy: "single-user" }, aws: { shownBy: "matrix-single-user-aws" } },
  "alternating-users": { vault: { shownBy: "rotation" }, aws: { shownBy: "aws" } },
  "alpaca-key": { vault: { shownBy: "alpaca-rollback" }, aws: { shownBy: "matrix-alpaca-key-aws" } },
  "api-key": { vault: { shownBy: "api-key" }, aws: { shownBy: "matrix-api-key-aws" } },
  "redis-password": { vault: { shownBy: "redis-password" }, aws: { shownBy: "matrix-redis-password-aws" } },
  custom: { vault: { shownBy: "custom" }, aws: { shownBy: "matrix-custom-aws" } },
  "vault-static": {
    vault: { shownBy: "vault-static", noWayBack: "Vault rotates it and keeps no earlier password" },
    aws: IN_VAULT_ALONE,
  },
  "vault-dynamic": {
    vault: { shownBy: "vault-dynamic", noWayBack: "a lease that has ended cannot be brought back" },
    aws: IN_VAULT_ALONE,
  },
} as const satisfies Readonly<Record<Strategy, Readonly<Record<Store, Cell>>>>;
