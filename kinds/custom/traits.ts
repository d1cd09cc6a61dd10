import type { Traits } from "../../core/traits";

/** A credential that an issuer makes at this pipeline's request, while the previous one stays valid. */
export const custom = {
  hasDatabase: false,
  ages: true,
  overlaps: true,
  rollsBack: true,
  suppliedBy: "pipeline",
  plugins: [],
} as const satisfies Traits;
