import type { Traits } from "../../core/traits";

/** Two login roles that take turns. */
export const alternatingUsers = {
  hasDatabase: true,
  ages: true,
  overlaps: true,
  rollsBack: true,
  suppliedBy: "pipeline",
  plugins: ["postgresql"],
} as const satisfies Traits;

/** One role whose password changes: in PostgreSQL a role has one password. */
export const singleUser = { ...alternatingUsers, overlaps: false } as const satisfies Traits;
