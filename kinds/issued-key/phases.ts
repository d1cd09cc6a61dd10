import { type PhaseTable, stepOf } from "../../core/phases";

/** The parts of the rotation of a key that its issuer makes, besides the common ones. */
export const issuedKeyPhases = {
  steps: {
    "issue-key": { phase: "new value", words: (resource) => stepOf(resource)?.about },
    "end-key": { phase: "settle", words: (resource) => stepOf(resource)?.about },
  },
} as const satisfies PhaseTable;
