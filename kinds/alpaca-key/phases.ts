import type { PhaseTable } from "../../core/phases";

/** What the rotation of a key pair consists of, beside what all rotations have. */
export const alpacaKeyPhases = {
  steps: {
    "store-versions": { phase: "preflight", words: () => "notes which versions the store has" },
    "verify-alpaca": { phase: "verify" },
    "dry-run": { phase: "confirm", words: () => "makes the dry run" },
  },
} as const satisfies PhaseTable;
