import type { PhaseTable } from "../../core/phases";

/** What the rollout of a password that Vault rotates consists of, beside what all rotations have. */
export const vaultStaticPhases = {
  steps: {
    "vault-rotation": {
      phase: "database",
      words: () => "has Vault rotate the password where that is asked for, and reads when it did last",
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
