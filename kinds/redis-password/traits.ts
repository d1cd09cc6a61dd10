import type { Traits } from "../../core/traits";

/** An ACL user has several passwords at once. */
export const redisPassword = {
  hasDatabase: false,
  ages: true,
  overlaps: true,
  rollsBack: true,
  suppliedBy: "pipeline",
  plugins: [],
} as const satisfies Traits;
