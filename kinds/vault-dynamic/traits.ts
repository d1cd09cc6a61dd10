import type { Traits } from "../../core/traits";

/** Logins that Vault makes for a short time. One that has ended cannot be restored. */
export const vaultDynamic = {
  hasDatabase: true,
  ages: false,
  overlaps: true,
  rollsBack: false,
  suppliedBy: "vault",
  plugins: ["vault"],
} as const satisfies Traits;
