import type { AlpacaKeyConfig } from "../../config";
import type { KindOperations } from "../kind-operations";
import { knownPairs, pairsInUse } from "./pairs";
import { alpacaKeyPhases } from "./phases";

/** A key pair that only the operator can make, on Alpaca's dashboard. */
export const operations = {
  phases: [alpacaKeyPhases],
  supply: {
    command: "alpaca add-key",
    how: "Create a new key on the dashboard and add it.",
    ending: {
      title: "delete the old key",
      text: (generation) =>
        `Delete the key before generation ${generation} on Alpaca's dashboard; the next run confirms that it answers 401.`,
    },
  },
  adoption:
    "a key pair is no value to adopt: the config has the pair in use; one that was written into the store by hand is supplied with `rotation alpaca add-key`",
  otherwise: "definition changed",
  noWayBack: () => undefined,
  status: () => ({}),
  kept: async () => undefined,
  known: knownPairs,
  inUse: pairsInUse,
  tryParts: async (...asked) => (await import("./leaked")).tryLeakedPair(...asked),
  diagnose: async (...asked) => (await import("./diagnose")).keyFindings(...asked),
  validate: async (...asked) => (await import("./validate")).keyChecks(...asked),
} as const satisfies KindOperations<AlpacaKeyConfig>;
