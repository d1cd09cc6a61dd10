import { issuedAsks } from "../issued-key/asks";
import { issuedOperations } from "../issued-key/operations";
import { issuedRules } from "../issued-key/rules";
import type { Kind } from "../kind";
import { customKind } from "./issued";
import type { CustomConfig } from "./schema";

/** A credential that commands of the user's own make, prove and end at an issuer. */
export const custom: Kind<CustomConfig, object> = {
  asks: issuedAsks,
  ...issuedRules,
  declare: async (secret, stack) => (await import("./declare")).declareCustom(secret, stack),
  operations: issuedOperations(customKind, "docs/custom.md"),
};
