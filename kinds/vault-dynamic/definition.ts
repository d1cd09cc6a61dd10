import type { VaultDynamicConfig } from "../../config";
import { creationStatements, fingerprint, type LeaseDefinition, revocationStatements } from "./statements";

/** What the logins of a secret are made of; a change is a new generation. */
export function definitionOf(config: VaultDynamicConfig): LeaseDefinition {
  const { role: owner, defaultTtl, maxTtl } = config;
  return {
    owner,
    defaultTtl,
    maxTtl,
    creation: config.creationStatements ?? creationStatements(owner),
    revocation: config.revocationStatements ?? revocationStatements(),
  };
}

/** {@link definitionOf} as the short text that is kept in the state. */
export const leaseFingerprint = (config: VaultDynamicConfig) => fingerprint(definitionOf(config));
