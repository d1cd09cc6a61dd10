import type { BridgedResource } from "./bridge";
import { number, text } from "./coerce";
import type { Schema } from "./schema";
import type { Json, Properties } from "./values";
import type { VaultClient } from "./vault-client";

const staticRoleSchema: Schema = {
  backend: { required: true, forceNew: true },
  credentialConfig: { kind: "map" },
  credentialType: { computed: true },
  dbName: { required: true, forceNew: true },
  name: { autoName: true, forceNew: true },
  namespace: { forceNew: true },
  passwordWo: {},
  passwordWoVersion: {},
  rotationPeriod: {},
  rotationSchedule: {},
  rotationStatements: { kind: "list" },
  rotationWindow: {},
  selfManagedPassword: { secret: true },
  skipImportRotation: {},
  username: { required: true, forceNew: true },
};

/** `vault.database.SecretBackendStaticRole`: an existing login whose password the server rotates. */
export function staticRoleResource(client: () => VaultClient): BridgedResource {
  return roleResource(client, "static-roles", staticRoleSchema, {
    body: (plan) => ({
      username: plan.username ?? null,
      db_name: plan.dbName ?? null,
      ...given("rotation_period", number(plan.rotationPeriod)),
      ...given("rotation_schedule", text(plan.rotationSchedule)),
      ...given("rotation_window", text(plan.rotationSchedule) && number(plan.rotationWindow)),
      ...given("rotation_statements", plan.rotationStatements),
      ...given("skip_import_rotation", plan.skipImportRotation),
      ...given("credential_type", text(plan.credentialType)),
      ...given("credential_config", plan.credentialConfig),
    }),
    state: (found) => ({
      dbName: found.db_name ?? "",
      rotationPeriod: found.rotation_period ?? null,
      rotationSchedule: found.rotation_schedule ?? "",
      rotationStatements: found.rotation_statements ?? [],
      rotationWindow: found.rotation_window ?? 0,
      username: found.username ?? "",
    }),
  });
}

const dynamicRoleSchema: Schema = {
  backend: { required: true, forceNew: true },
  creationStatements: { kind: "list", required: true },
  credentialConfig: { kind: "map" },
  credentialType: { computed: true },
  dbName: { required: true, forceNew: true },
  defaultTtl: {},
  maxTtl: {},
  name: { autoName: true, forceNew: true },
  namespace: { forceNew: true },
  renewStatements: { kind: "list" },
  revocationStatements: { kind: "list" },
  rollbackStatements: { kind: "list" },
};

/** `vault.database.SecretBackendRole`: logins made on demand. */
export function dynamicRoleResource(client: () => VaultClient): BridgedResource {
  return roleResource(client, "roles", dynamicRoleSchema, {
    body: (plan) => ({
      db_name: plan.dbName ?? null,
      creation_statements: plan.creationStatements ?? [],
      default_ttl: number(plan.defaultTtl) ?? 0,
      max_ttl: number(plan.maxTtl) ?? 0,
      renew_statements: plan.renewStatements ?? [],
      revocation_statements: plan.revocationStatements ?? [],
      rollback_statements: plan.rollbackStatements ?? [],
      ...given("credential_type", text(plan.credentialType)),
      ...given("credential_config", plan.credentialConfig),
    }),
    state: (found) => ({
      creationStatements: found.creation_statements ?? [],
      dbName: found.db_name ?? "",
      defaultTtl: found.default_ttl ?? 0,
      maxTtl: found.max_ttl ?? 0,
      renewStatements: found.renew_statements ?? [],
      revocationStatements: found.revocation_statements ?? [],
      rollbackStatements: found.rollback_statements ?? [],
    }),
  });
}

function given(name: string, value: Json | undefined): Properties {
  return value === undefined || value === null ? {} : { [name]: value };
}

interface RoleApi {
  body(plan: Properties): Properties;
  state(found: Properties): Properties;
}

function roleResource(client: () => VaultClient, folder: string, schema: Schema, api: RoleApi): BridgedResource {
  const path = (plan: Properties) => `${plan.backend}/${folder}/${plan.name}`;
  const read = async (id: string, known: Properties | undefined): Promise<Properties | undefined> => {
    const found = await client().read(id, known?.namespace);
    if (found === undefined) return undefined;
    const [backend = "", name = ""] = id.split(`/${folder}/`);
    return {
      ...Object.fromEntries(Object.keys(schema).map((key) => [key, known?.[key] ?? null])),
      ...api.state(found),
      backend,
      name,
      credentialType: found.credential_type ?? "password",
    };
  };
  const write = async (plan: Properties): Promise<Properties> => {
    await client().write(path(plan), api.body(plan), plan.namespace);
    const state = await read(path(plan), plan);
    if (state === undefined) throw new Error(`no role found at "${path(plan)}" right after it was written`);
    return state;
  };
  return {
    schema,
    create: async (plan) => ({ id: path(plan), state: await write(plan) }),
    update: async (_id, _old, plan) => write(plan),
    read,
    delete: (id, state) => client().remove(id, state.namespace),
  };
}
