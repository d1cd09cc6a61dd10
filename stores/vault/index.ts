import { join } from "node:path";
import { openVaultSession, ownSessionToken } from "../../clients/vault-session";
import type { Run, Store } from "../store";
import { VaultKv } from "./client";
import type { VaultConfig, VaultReference } from "./schema";

/** HashiCorp Vault or OpenBao. */
export const vault = {
  connect: (reference: VaultReference) => new VaultKv(reference),
  connectAs: (reference: VaultReference, token: () => Promise<string>) => new VaultKv(reference, token),
  openSession,
  sessionEnvironment: async (): Promise<Record<string, string>> => {
    const token = await ownSessionToken();
    return token === undefined ? {} : { VAULT_TOKEN: token };
  },
  declare: () => Promise.resolve(undefined),
} satisfies Store<VaultConfig, VaultReference>;

function openSession(
  { address, namespace, caCert, auth }: VaultConfig,
  { dir, stack, shared, vaultSecretId: secretId }: Run,
): void {
  // An operator's own token takes precedence.
  if (auth === undefined || process.env.VAULT_TOKEN) return;
  const program = join(dir, "dist", "steps", "vault-session.mjs");
  openVaultSession(program, {
    place: { address, namespace, caCert },
    auth,
    secretId,
    ...(shared ? { session: stack } : {}),
  });
}
