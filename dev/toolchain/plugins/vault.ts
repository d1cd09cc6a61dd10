import { bridgedProvider } from "./bridge";
import type { Provider } from "./provider";
import { type VaultClient, vaultClient } from "./vault-client";
import { connectionResource } from "./vault-connection";
import { dynamicRoleResource, staticRoleResource } from "./vault-database-roles";
import { endpointResource } from "./vault-endpoint";
import { getSecretV2, secretV2Resource } from "./vault-kv";
import { mountResource, policyResource } from "./vault-system";

/** The package `vault`: secrets, mounts, policies and the database engine, over the HTTP API of Vault or OpenBao. */
export function vaultProvider(environment: NodeJS.ProcessEnv): Provider {
  let client = vaultClient({}, environment);
  const current = (): VaultClient => client;
  return bridgedProvider({
    name: "vault",
    configure: (config) => {
      client = vaultClient(config, environment);
    },
    invoke: async (token, args) => {
      if (token === "vault:kv/getSecretV2:getSecretV2") return getSecretV2(client, args);
      throw new Error(`the offline plugin for vault has no function ${token}: it has vault:kv/getSecretV2:getSecretV2`);
    },
    resources: {
      "vault:kv/secretV2:SecretV2": secretV2Resource(current),
      "vault:generic/endpoint:Endpoint": endpointResource(current),
      "vault:index/mount:Mount": mountResource(current),
      "vault:index/policy:Policy": policyResource(current),
      "vault:database/secretBackendConnection:SecretBackendConnection": connectionResource(current),
      "vault:database/secretBackendStaticRole:SecretBackendStaticRole": staticRoleResource(current),
      "vault:database/secretBackendRole:SecretBackendRole": dynamicRoleResource(current),
    },
  });
}
