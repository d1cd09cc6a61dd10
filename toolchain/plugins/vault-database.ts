import type { BridgedResource } from "./bridge";
import { number, text } from "./coerce";
import type { Attribute, Schema } from "./schema";
import { isObject, type Json, type Properties, same } from "./values";
import type { VaultClient } from "./vault-client";

const otherDatabases = [
  "cassandra",
  "couchbase",
  "elasticsearch",
  "hana",
  "influxdb",
  "mongodb",
  "mongodbatlas",
  "mssql",
  "mysql",
  "mysqlAurora",
  "mysqlLegacy",
  "mysqlRds",
  "oracle",
  "redis",
  "redisElasticache",
  "redshift",
  "snowflake",
];

const connectionSchema: Schema = {
  allowedRoles: { kind: "list" },
  backend: { required: true, forceNew: true },
  data: { kind: "map" },
  disableAutomatedRotation: {},
  name: { autoName: true },
  namespace: { forceNew: true },
  passwordPolicy: {},
  pluginName: { computed: true },
  pluginVersion: {},
  postgresql: {
    kind: "block",
    fields: {
      authType: {},
      connectionUrl: {},
      disableEscaping: {},
      maxConnectionLifetime: {},
      maxIdleConnections: {},
      maxOpenConnections: { default: 2 },
      password: { secret: true },
      passwordAuthentication: { default: "password" },
      passwordWo: {},
      passwordWoVersion: {},
      privateKey: { secret: true },
      selfManaged: {},
      serviceAccountJson: { secret: true },
      tlsCa: {},
      tlsCertificate: {},
      username: {},
      usernameTemplate: {},
    },
  },
  rootRotationStatements: { kind: "list" },
  rotationPeriod: {},
  rotationSchedule: {},
  rotationWindow: {},
  skipStaticRoleImportRotation: {},
  verifyConnection: { default: true },
  ...Object.fromEntries(otherDatabases.map((key): [string, Attribute] => [key, { kind: "block" }])),
};

/** A PostgreSQL connection without anything said about it. */
const emptyPostgresql: Properties = {
  authType: "",
  connectionUrl: "",
  disableEscaping: false,
  maxConnectionLifetime: 0,
  maxIdleConnections: 0,
  maxOpenConnections: 2,
  password: "",
  passwordAuthentication: "password",
  passwordWo: null,
  passwordWoVersion: 0,
  privateKey: "",
  selfManaged: false,
  serviceAccountJson: "",
  tlsCa: "",
  tlsCertificate: "",
  username: "",
  usernameTemplate: "",
};

/** `vault.database.SecretBackendConnection` to a PostgreSQL server. */
export function connectionResource(client: () => VaultClient): BridgedResource {
  const path = (plan: Properties) => `${plan.backend}/config/${plan.name}`;
  const write = async (plan: Properties, old: Properties): Promise<Properties> => {
    await client().write(path(plan), connectionBody(plan, old), plan.namespace);
    const state = await readConnection(client(), path(plan), plan);
    if (state === undefined) throw new Error(`no connection found at "${path(plan)}" right after it was written`);
    return state;
  };
  return {
    schema: connectionSchema,
    create: async (plan) => ({ id: path(plan), state: await write(plan, {}) }),
    update: async (_id, old, plan) => write(plan, old),
    read: (id, old) => readConnection(client(), id, old),
    delete: (id, state) => client().remove(id, state.namespace),
  };
}

function connectionBody(plan: Properties, old: Properties): Properties {
  const other = otherDatabases.find((key) => isObject(plan[key]));
  if (other !== undefined || !isObject(plan.postgresql)) {
    throw new Error(`the offline plugin for vault connects to postgresql only, found ${other ?? "no database"}`);
  }
  const wanted = plan.postgresql;
  const before = isObject(old.postgresql) ? old.postgresql : {};
  const body: Properties = {
    plugin_name: text(plan.pluginName) ?? "postgresql-database-plugin",
    allowed_roles: plan.allowedRoles ?? [],
    verify_connection: plan.verifyConnection ?? true,
    root_rotation_statements: plan.rootRotationStatements ?? [],
    connection_url: wanted.connectionUrl ?? "",
    max_open_connections: wanted.maxOpenConnections ?? 2,
    max_idle_connections: wanted.maxIdleConnections ?? 0,
    max_connection_lifetime: `${number(wanted.maxConnectionLifetime) ?? 0}s`,
    username: wanted.username ?? "",
    username_template: wanted.usernameTemplate ?? "",
    password_authentication: wanted.passwordAuthentication ?? "password",
    disable_escaping: wanted.disableEscaping ?? false,
    ...(isObject(plan.data) ? plan.data : {}),
  };
  if (text(plan.passwordPolicy) !== undefined) body.password_policy = plan.passwordPolicy ?? "";
  // The server may have rotated it since: it is sent only when the program changed it.
  if (text(wanted.password) !== undefined && !same(wanted.password, before.password))
    body.password = wanted.password ?? "";
  return body;
}

async function readConnection(
  client: VaultClient,
  id: string,
  known: Properties | undefined,
): Promise<Properties | undefined> {
  const found = await client.read(id, known?.namespace);
  if (found === undefined) return undefined;
  const [, backend = "", name = ""] = /^(.*)\/config\/(.*)$/s.exec(id) ?? [];
  const details = isObject(found.connection_details) ? found.connection_details : {};
  const block = isObject(known?.postgresql) ? known.postgresql : {};
  const given = Object.fromEntries(Object.entries(block).filter(([, value]) => value !== null));
  return {
    ...Object.fromEntries(Object.keys(connectionSchema).map((key) => [key, known?.[key] ?? null])),
    allowedRoles: found.allowed_roles ?? [],
    backend,
    data: known?.data ?? {},
    name,
    passwordPolicy: found.password_policy ?? "",
    pluginName: found.plugin_name ?? "",
    pluginVersion: found.plugin_version ?? "",
    postgresql: {
      ...emptyPostgresql,
      ...given,
      connectionUrl: details.connection_url ?? given.connectionUrl ?? "",
      maxOpenConnections: details.max_open_connections ?? given.maxOpenConnections ?? 2,
      username: details.username ?? given.username ?? "",
    },
    rootRotationStatements: found.root_credentials_rotate_statements ?? [],
    verifyConnection: known?.verifyConnection ?? true,
  };
}

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
