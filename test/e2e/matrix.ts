import type { Config } from "../../config";

/** Every way a secret rotates, with what the config says for it. */
export const STRATEGIES = ["single-user", "alternating-users", "alpaca-key"] as const;

/** Every store. */
export const STORES = ["vault", "aws"] as const satisfies readonly Config["store"]["kind"][];

export type Strategy = (typeof STRATEGIES)[number];
export type Store = (typeof STORES)[number];

/** The files in `test/e2e` that show rotation and rollback by the real engine, for each cell of the matrix. */
export const MATRIX: Readonly<Record<Strategy, Readonly<Record<Store, string>>>> = {
  "single-user": { vault: "single-user", aws: "matrix-single-user-aws" },
  "alternating-users": { vault: "rotation", aws: "aws" },
  "alpaca-key": { vault: "alpaca-rollback", aws: "matrix-alpaca-key-aws" },
};
