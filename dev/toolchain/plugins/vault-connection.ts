import type { BridgedResource } from "./bridge";
import { number, text } from "./coerce";
import type { Attribute, Schema } from "./schema";
import { isObject, type Properties, same } from "./values";
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
