import type { Traits } from "../../core/traits";

/** A key pair that only the operator can make, on Alpaca's dashboard. */
export const alpacaKey = {
  hasDatabase: false,
  ages: true,
  overlaps: true,
  rollsBack: true,
  suppliedBy: "operator",
  plugins: [],
} as const satisfies Traits;
