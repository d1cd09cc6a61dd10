import type { PhaseTable } from "../../core/phases";

/** The parts of the rollout of a password that Vault rotates, besides the common ones. */
export const vaultStaticPhases = {
  steps: {
    "vault-rotation": {
      phase: "database",
      words: () => "has Vault rotate the password if that is requested, and reads when it last did",
    },
    "vault-login": { phase: "verify" },
  },
  resources: {
    "vault:database/secretBackendStaticRole:SecretBackendStaticRole": {
      phase: "database",
      words: ({ newInputs }) => `has Vault rotate the password of ${newInputs.username} from now on`,
    },
  },
} as const satisfies PhaseTable;
