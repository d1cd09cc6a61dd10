import { issuedPhases } from "../issuer/phases";
import type { KindOperations } from "../kind-operations";
import { credentialInUse, knownCredentials } from "./credentials";
import { customPhases } from "./phases";
import type { CustomConfig } from "./schema";

/** A credential that commands of the user's own make, and that this stack writes into the store. */
export const operations = {
  phases: [issuedPhases, customPhases],
  supply: undefined,
  adoption:
    "its issuer makes it: give the values in use as the config's `adopted`, a JSON object of its fields, before the first update (docs/custom.md)",
  otherwise: "definition changed",
  noWayBack: () => undefined,
  status: () => ({}),
  kept: async () => undefined,
  known: knownCredentials,
  inUse: credentialInUse,
  tryParts: async (...asked) => (await import("./leaked")).tryLeaked(...asked),
  diagnose: async (...asked) => (await import("./diagnose")).customFindings(...asked),
  validate: async (...asked) => (await import("./validate")).customChecks(...asked),
} as const satisfies KindOperations<CustomConfig>;
