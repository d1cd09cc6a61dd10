import { issuedPhases } from "../issuer/phases";
import type { KindOperations } from "../kind-operations";
import { credentialInUse, knownCredentials } from "./credentials";
import type { IssuedConfig, IssuedKind } from "./issued-kind";
import { issuedKeyPhases } from "./phases";

/** What every kind has whose keys an issuer makes at this pipeline's request. @param page of the documentation */
export const issuedOperations = <S extends IssuedConfig>(kind: IssuedKind<S>, page: string): KindOperations<S> => ({
  phases: [issuedPhases, issuedKeyPhases],
  supply: undefined,
  adoption: `its issuer makes it: give the values in use as the config's \`adopted\`, a JSON object of its fields, before the first update (${page})`,
  otherwise: "definition changed",
  noWayBack: () => undefined,
  status: () => ({}),
  kept: async () => undefined,
  known: (...asked) => knownCredentials(kind, ...asked),
  inUse: (...asked) => credentialInUse(kind, ...asked),
  tryParts: async (...asked) => (await import("./leaked")).tryLeaked(kind, ...asked),
  diagnose: async (...asked) => (await import("./diagnose")).issuedFindings(kind, ...asked),
  validate: async (...asked) => (await import("./validate")).issuedChecks(kind, ...asked),
});
