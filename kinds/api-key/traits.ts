import type { Traits } from "../../core/traits";

/** A key of any service that the operator makes there; a service takes several at once. */
export const apiKey = {
  hasDatabase: false,
  ages: true,
  overlaps: true,
  rollsBack: true,
  suppliedBy: "operator",
  plugins: [],
} as const satisfies Traits;
