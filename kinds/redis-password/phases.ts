import { type PhaseTable, stepOf } from "../../core/phases";

/** The parts of the rotation of a Redis password, besides the common ones. */
export const redisPasswordPhases = {
  steps: {
    "redis-user": { phase: "database", words: (resource) => stepOf(resource)?.about },
    "redis-login": { phase: "verify" },
  },
} as const satisfies PhaseTable;
