import { readFileSync } from "node:fs";
import { join } from "node:path";
import { homeOf } from "./home";
import { fetchWith, vaultTrust } from "./trust";

/** The headers that every request to Vault carries, from the environment as the `vault` command takes them; undefined without a token. */
export function vaultHeaders(): Record<string, string> | undefined {
  const token = process.env.VAULT_TOKEN || tokenFile();
  if (token === undefined) return undefined;
  const namespace = process.env.VAULT_NAMESPACE;
  return {
    "X-Vault-Token": token,
    "X-Vault-Request": "true",
    ...(namespace ? { [NAMESPACE_HEADER]: namespace } : {}),
  };
}

/** Names the namespace; a few paths of the API (`sys/health`) exist outside of every namespace and refuse it. */
export const NAMESPACE_HEADER = "X-Vault-Namespace";

/** `fetch` that trusts what VAULT_CACERT and its kin name. */
export const vaultFetch = (): typeof fetch => fetchWith(vaultTrust);

function tokenFile(): string | undefined {
  const home = homeOf(process.env);
  try {
    return home && (readFileSync(join(home, ".vault-token"), "utf8").trim() || undefined);
  } catch {
    return undefined;
  }
}

/** Why there is no token. */
export const NO_TOKEN = "no token for Vault: set VAULT_TOKEN, or log in with `vault login`";

/** What to look at where Vault answers with this status. */
export function statusHint(status: number): string {
  if (status === 403) return " (is VAULT_TOKEN valid and allowed? `vault token lookup`)";
  if (status === 429)
    return "; it limits this run's requests (`vault read sys/quotas/rate-limit`): wait and run this again";
  if (status === 503) return " (sealed or not active: `vault status`)";
  return status >= 500 ? "; look at `vault status`, and run this again once it answers" : "";
}
