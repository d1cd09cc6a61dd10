import type { PhaseTable } from "../../core/phases";

/** The parts of every key's rotation, besides the common ones. */
export const issuedPhases = {
  steps: {
    "store-versions": { phase: "preflight", words: () => "notes which versions the store has" },
    "dry-run": { phase: "confirm", words: () => "makes the dry run" },
  },
} as const satisfies PhaseTable;
