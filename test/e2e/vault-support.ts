import type { LabDatabase, LabService } from "../../lab/platform";
import { type BenchOptions, useBench } from "./harness";

/** The services that read the password. */
export const READERS = ["signal-service", "orchestrator"];

/** A bench with one database, whose logins Vault makes; the password in use at the start is not given. */
export const useVaultBench = (
  strategy: "vault-static" | "vault-dynamic",
  vault: LabDatabase["vault"],
  { services, config }: Pick<BenchOptions, "config"> & { readonly services?: readonly LabService[] },
) =>
  useBench({
    strategies: { "database/password": strategy },
    adopt: false,
    labOptions: { databases: [{ name: "trader", role: "trader", secretName: "database/password", vault }], services },
    config,
  });
