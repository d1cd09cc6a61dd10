import type { KindOperations } from "../kind-operations";
import { keysInUse, knownKeys } from "./keys";
import type { IssuedSecret, SuppliedKind } from "./supplied-kind";

/** What every kind has whose keys the operator supplies; the rest is the kind's own words. */
export const suppliedOperations = <S extends IssuedSecret>(kind: SuppliedKind<S>) =>
  ({
    otherwise: "definition changed",
    noWayBack: () => undefined,
    status: () => ({}),
    kept: async () => undefined,
    known: (stack, secret, states) => knownKeys(kind, stack, secret, states),
    inUse: (stack, secret, decision) => keysInUse(kind, stack, secret, decision),
    tryParts: async (...asked) => (await import("./leaked")).tryLeakedKey(kind, ...asked),
    diagnose: async (...asked) => (await import("./diagnose")).keyFindings(kind, ...asked),
    validate: async (...asked) => (await import("./validate")).keyChecks(kind, ...asked),
  }) satisfies Partial<KindOperations<S>>;
