import type { PhaseTable } from "../../core/phases";

/** The parts of a key pair's rotation, besides the common ones and those of all keys. */
export const alpacaKeyPhases = {
  steps: { "verify-alpaca": { phase: "verify" } },
} as const satisfies PhaseTable;
