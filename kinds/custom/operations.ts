import { issuedOperations } from "../issued-key/operations";
import type { KindOperations } from "../kind-operations";
import { customKind } from "./issued";
import type { CustomConfig } from "./schema";

/** A credential that commands of the user's own make, and that this stack writes into the store. */
export const operations: KindOperations<CustomConfig> = issuedOperations(customKind, "docs/custom.md");
