import type { VaultStaticConfig } from "../../config";
import { activeGeneration } from "../../core/state";
import type { KindOperations } from "../kind-operations";
import { vaultEnginePhases } from "../vault-engine/phases";
import { vaultStaticPhases } from "./phases";

/** A password that Vault rotates: earlier values are not known, so what Vault hands out now is tried. */
export const operations = {
  phases: [vaultEnginePhases, vaultStaticPhases],
  supply: undefined,
  adoption: "Vault makes the password and rotates it (vault-static), and keeps no value to go back to",
  otherwise: "rotated by Vault",
  noWayBack: (secret) =>
    `${secret} is rotated by Vault, which keeps no earlier password: nothing to roll back to. ` +
    `\`rotation rotate-now ${secret} --reason "..."\` has Vault make another one`,
  status: ({ rotationPeriod: period }, state) => {
    const lastRotation = state?.vaultRotation;
    if (lastRotation === undefined) return {};
    const nextRotation = period === undefined ? null : new Date(Date.parse(lastRotation) + period).toISOString();
    return { vault: { lastRotation, nextRotation } };
  },
  kept: async () => undefined,
  known: ({ config }, secret, states) => {
    const state = states.at(-1);
    if (state === undefined) return [];
    const generation = activeGeneration(state);
    const tried = async () => (await import("./facts")).seeIssued(config, secret, generation);
    return [{ generation, entries: [], tried }];
  },
  inUse: () => undefined,
  tryParts: async (_, ...asked) => (await import("../postgres-password/see-login")).tryLeaked(...asked),
  handedOut: async ({ config }, secret, state) => {
    const { username, password } = await (await import("./facts")).issuedLogin(config, secret);
    return [{ generation: activeGeneration(state), part: "password", username, value: password }];
  },
  endSessions: async (...asked) => (await import("../postgres-password/end-sessions")).endSessions(...asked),
  diagnose: async (...asked) => (await import("./diagnose")).rotationFindings(...asked),
  validate: async (...asked) => (await import("./validate")).rotationChecks(...asked),
} as const satisfies KindOperations<VaultStaticConfig>;
