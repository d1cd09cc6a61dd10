import type { PhaseTable } from "../../core/phases";

/** The parts of a key pair's rotation, besides the common ones. */
export const alpacaKeyPhases = {
  steps: {
    "store-versions": { phase: "preflight", words: () => "notes which versions the store has" },
    "verify-alpaca": { phase: "verify" },
    "dry-run": { phase: "confirm", words: () => "makes the dry run" },
  },
} as const satisfies PhaseTable;
