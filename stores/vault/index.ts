import type { Store } from "../store";
import { VaultKv } from "./client";
import type { VaultConfig, VaultReference } from "./schema";

/** HashiCorp Vault or OpenBao. */
export const vault = {
  connect: (reference: VaultReference) => new VaultKv(reference),
  declare: () => Promise.resolve(undefined),
} satisfies Store<VaultConfig, VaultReference>;
