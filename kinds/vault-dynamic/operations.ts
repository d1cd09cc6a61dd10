import type { VaultDynamicConfig } from "../../config";
import type { KindOperations } from "../kind-operations";
import { vaultEnginePhases } from "../vault-engine/phases";
import { vaultDynamicPhases } from "./phases";

/** Logins that Vault makes for a short time: the stack knows none of them. */
export const operations = {
  phases: [vaultEnginePhases, vaultDynamicPhases],
  supply: undefined,
  adoption: "Vault makes logins on demand (vault-dynamic): there is no value to go back to",
  otherwise: "definition changed",
  noWayBack: (secret) =>
    `${secret} is made by Vault for a short time (vault-dynamic), and a lease that has ended cannot be brought back: ` +
    `nothing to roll back to. \`rotation rotate-now ${secret} --reason "..."\` has every service fetch a new login`,
  status: ({ defaultTtl, maxTtl }) => ({
    lease: { defaultTtlSeconds: defaultTtl / 1000, maxTtlSeconds: maxTtl / 1000 },
  }),
  kept: async () => undefined,
  known: () => [],
  inUse: () => undefined,
  madeElsewhere: {
    find: async (...asked) => (await import("./leaked")).loginsOfVault(...asked),
    tried: async (...asked) => (await import("./leaked")).tryLoginOfVault(...asked),
  },
  endSessions: async (secret, username) =>
    (await import("../postgres-password/end-sessions")).endSessions(secret, username, undefined),
  diagnose: async (...asked) => (await import("./diagnose")).leaseFindings(...asked),
  validate: async (...asked) => (await import("./validate")).leaseChecks(...asked),
} as const satisfies KindOperations<VaultDynamicConfig>;
