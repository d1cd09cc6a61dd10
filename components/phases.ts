import { type PhaseTable, stepOf } from "../core/phases";

/** What every rotation consists of. */
export const rotationPhases = {
  steps: {
    preflight: {
      phase: "preflight",
      words: () =>
        "checks store, database, hosts, services, market and the credential in use, and stops here if one fails",
    },
    "store-unchanged": { phase: "preflight", words: () => "checks that there was no external write to the store" },
    "store-write": {
      phase: "store",
      words: (step) => `writes ${stepOf(step)?.about ?? step.name}, beside what others keep there, and reads it back`,
    },
    "restart-service": { phase: "restart" },
    "run-hook": { phase: "before", words: (step) => `runs \`${stepOf(step)?.about ?? step.name}\`` },
    "store-mark": {
      phase: "settle",
      words: (step) =>
        `marks ${stepOf(step)?.about ?? step.name}: when it was rotated, until when the previous one works`,
    },
    "audit-record": { phase: "audit" },
  },
  components: {
    "secret-rotation:index:Preflight": { phase: "preflight" },
    "secret-rotation:index:RollingRestart": { phase: "restart" },
  },
  resources: {
    "random:index/randomBytes:RandomBytes": { phase: "new value", words: () => undefined },
    "random:index/randomId:RandomId": { phase: null, words: () => undefined },
  },
} as const satisfies PhaseTable;
