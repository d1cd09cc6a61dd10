import type { Traits } from "../../core/traits";

/** A password that Vault rotates by itself; it keeps no earlier one. */
export const vaultStatic = {
  hasDatabase: true,
  ages: true,
  overlaps: false,
  rollsBack: false,
  suppliedBy: "vault",
  plugins: ["vault"],
} as const satisfies Traits;
