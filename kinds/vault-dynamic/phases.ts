import { type PhaseTable, restOf } from "../../core/phases";

/** The parts of a new generation of logins that Vault makes, besides the common ones. */
export const vaultDynamicPhases = {
  steps: {
    "lease-proof": {
      phase: "verify",
      words: ({ name }, { secret }) =>
        `tries a login that Vault makes for ${restOf(name, secret, "proof-")}, and ends it`,
    },
    "lease-end-older": { phase: "settle", words: () => "has Vault end every earlier login" },
  },
  resources: {
    "vault:database/secretBackendRole:SecretBackendRole": {
      phase: "store",
      words: ({ newInputs }) => `has Vault make logins on demand: role ${newInputs.name}`,
    },
  },
} as const satisfies PhaseTable;
