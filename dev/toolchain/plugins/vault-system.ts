import type { BridgedResource } from "./bridge";
import type { Schema } from "./schema";
import { isObject, type Json, type Properties, same } from "./values";
import type { VaultClient } from "./vault-client";

const mountSchema: Schema = {
  accessor: { output: true },
  allowedManagedKeys: { kind: "set" },
  allowedResponseHeaders: { kind: "list" },
  auditNonHmacRequestKeys: { kind: "list", computed: true },
  auditNonHmacResponseKeys: { kind: "list", computed: true },
  defaultLeaseTtlSeconds: { computed: true },
  delegatedAuthAccessors: { kind: "list" },
  description: {},
  externalEntropyAccess: { default: false, forceNew: true },
  forceNoCache: { computed: true },
  identityTokenKey: {},
  listingVisibility: {},
  local: { default: false, forceNew: true },
  maxLeaseTtlSeconds: { computed: true },
  namespace: { forceNew: true },
  options: { kind: "map" },
  passthroughRequestHeaders: { kind: "list" },
  path: { required: true },
  pluginVersion: {},
  sealWrap: { computed: true, forceNew: true },
  type: { required: true, forceNew: true },
};

/** Properties that can be tuned later, and their names in the API. */
const tuned: Record<string, string> = {
  allowedManagedKeys: "allowed_managed_keys",
  allowedResponseHeaders: "allowed_response_headers",
  auditNonHmacRequestKeys: "audit_non_hmac_request_keys",
  auditNonHmacResponseKeys: "audit_non_hmac_response_keys",
  defaultLeaseTtlSeconds: "default_lease_ttl",
  delegatedAuthAccessors: "delegated_auth_accessors",
  forceNoCache: "force_no_cache",
  identityTokenKey: "identity_token_key",
  listingVisibility: "listing_visibility",
  maxLeaseTtlSeconds: "max_lease_ttl",
  passthroughRequestHeaders: "passthrough_request_headers",
};

/** `vault.Mount`: a secrets engine. Removing it removes everything in it. */
export function mountResource(client: () => VaultClient): BridgedResource {
  const present = async (path: string, known: Properties): Promise<Properties> => {
    const state = await readMount(client(), path, known);
    if (state === undefined) throw new Error(`no secrets engine at "${path}": run pulumi refresh`);
    return state;
  };
  return {
    schema: mountSchema,
    create: async (plan) => {
      const path = String(plan.path);
      const body: Properties = {
        type: plan.type ?? null,
        description: plan.description ?? "",
        config: tuning(plan, {}),
        local: plan.local ?? false,
        seal_wrap: plan.sealWrap ?? false,
        external_entropy_access: plan.externalEntropyAccess ?? false,
        ...(isObject(plan.options) ? { options: plan.options } : {}),
      };
      await client().write(`sys/mounts/${path}`, body, plan.namespace);
      return { id: path, state: await present(path, plan) };
    },
    update: async (id, old, plan) => {
      const [from, to] = [String(old.path ?? id), String(plan.path)];
      if (from !== to) await client().write("sys/remount", { from, to }, plan.namespace);
      const body = tuning(plan, old);
      if (!same(plan.description ?? null, old.description ?? null)) body.description = plan.description ?? "";
      if (isObject(plan.options) && !same(plan.options, old.options)) body.options = plan.options;
      if (Object.keys(body).length > 0) await client().write(`sys/mounts/${to}/tune`, body, plan.namespace);
      return present(to, plan);
    },
    read: (id, old) => readMount(client(), String(old?.path ?? id), old ?? {}),
    delete: (id, state) => client().remove(`sys/mounts/${String(state.path ?? id)}`, state.namespace),
  };
}

function tuning(plan: Properties, old: Properties): Properties {
  const body: Properties = {};
  for (const [key, name] of Object.entries(tuned)) {
    const value = plan[key] ?? null;
    if (value === null || same(value, old[key] ?? null)) continue;
    body[name] = name.endsWith("_ttl") ? `${value}s` : value;
  }
  return body;
}

async function readMount(client: VaultClient, path: string, known: Properties): Promise<Properties | undefined> {
  const mounts = await client.read("sys/mounts", known.namespace);
  const mount = mounts?.[`${path}/`];
  if (!isObject(mount)) return undefined;
  const config = isObject(mount.config) ? mount.config : {};
  const options = isObject(mount.options) ? mount.options : {};
  const v2 = known.type === "kv-v2" && mount.type === "kv" && options.version === "2";
  const lists = Object.keys(tuned).filter((key) => mountSchema[key]?.kind !== undefined);
  const listed = lists.map((key): [string, Json] => [key, config[tuned[key] ?? key] ?? []]);
  return {
    ...Object.fromEntries(listed),
    accessor: mount.accessor ?? "",
    defaultLeaseTtlSeconds: config.default_lease_ttl ?? 0,
    description: mount.description ?? "",
    externalEntropyAccess: mount.external_entropy_access ?? false,
    forceNoCache: config.force_no_cache ?? false,
    identityTokenKey: config.identity_token_key ?? "",
    listingVisibility: config.listing_visibility ?? "",
    local: mount.local ?? false,
    maxLeaseTtlSeconds: config.max_lease_ttl ?? 0,
    namespace: known.namespace ?? null,
    options: v2 ? (known.options ?? {}) : options,
    path,
    pluginVersion: known.pluginVersion ?? null,
    sealWrap: mount.seal_wrap ?? false,
    type: v2 ? "kv-v2" : (mount.type ?? ""),
  };
}

/** `vault.Policy`. Not among the recordings: held to its documentation. */
export function policyResource(client: () => VaultClient): BridgedResource {
  const write = async (plan: Properties): Promise<Properties> => {
    await client().write(`sys/policies/acl/${plan.name}`, { policy: plan.policy ?? "" }, plan.namespace);
    return plan;
  };
  return {
    schema: {
      name: { autoName: true, forceNew: true },
      namespace: { forceNew: true },
      policy: { required: true },
    },
    create: async (plan) => ({ id: String(plan.name), state: await write(plan) }),
    update: async (_id, _old, plan) => write(plan),
    read: async (id, old) => {
      const found = await client().read(`sys/policies/acl/${id}`, old?.namespace);
      return found && { name: id, namespace: old?.namespace ?? null, policy: found.policy ?? "" };
    },
    delete: (id, state) => client().remove(`sys/policies/acl/${id}`, state.namespace),
  };
}
