import type { PhaseTable } from "../../core/phases";

/** The parts of a key's rotation, besides the common ones and those of all keys. */
export const apiKeyPhases = {
  steps: { "verify-key": { phase: "verify" } },
} as const satisfies PhaseTable;
