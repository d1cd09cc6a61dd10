import type { LabDatabase, LabService } from "../../dev/lab/platform";
import { type BenchOptions, useBench } from "./harness";

/** The services that read the password. */
export const READERS = ["signal-service", "orchestrator"];

/** What the component calls the role and the policy of a service. */
export const leaseOf = (service: string) => ({
  path: `database/creds/${service}-trader`,
  policy: `paper-database-password-${service}`,
});

/** The readers, each with a lease of its own. */
export const LEASED: readonly LabService[] = READERS.map((name) => ({
  name,
  database: "database/password",
  lease: leaseOf(name),
}));

/** The one database, whose logins Vault makes. */
export const databaseOfVault = (vault: LabDatabase["vault"]): LabDatabase => ({
  name: "trader",
  role: "trader",
  secretName: "database/password",
  vault,
});

/** A bench with one database, whose logins Vault makes; the password in use at the start is not given. */
export const useVaultBench = (
  strategy: "vault-static" | "vault-dynamic",
  vault: LabDatabase["vault"],
  { services, config }: Pick<BenchOptions, "config"> & { readonly services?: readonly LabService[] },
) =>
  useBench({
    strategies: { "database/password": strategy },
    adopt: false,
    labOptions: { databases: [databaseOfVault(vault)], services },
    config,
  });
