import type { PhaseTable } from "../../core/phases";

/** What this stack makes in Vault's database engine for each of its secrets. */
export const vaultEnginePhases = {
  steps: { "vault-rotate-root": { phase: "database" } },
  resources: {
    "vault:database/secretBackendConnection:SecretBackendConnection": { phase: "store" },
    "vault:index/mount:Mount": { phase: "store" },
    "vault:index/policy:Policy": {
      phase: "store",
      words: ({ newInputs }) => `lets services read it: policy ${newInputs.name}`,
    },
  },
} as const satisfies PhaseTable;
