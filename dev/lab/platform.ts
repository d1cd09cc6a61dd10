import { randomBytes } from "node:crypto";
import pg from "pg";
import { scramVerifier } from "../../core/scram";
import type { AlpacaEnvironment } from "./alpaca";
import type { AlpacaKey } from "./alpaca-state";
import type { KeyIssuer } from "./key-issuer";
import { freePort } from "./ports";
import type { Postgres } from "./postgres";
import type { Redis } from "./redis";
import type { SecretBackend } from "./secret-backend";
import type { SecretGenerator } from "./secrets";
import type { DocumentKeys } from "./services/types";
import type { HostService } from "./ssh-host";

/** A database of the platform, with the role whose password is kept in the store. */
export interface LabDatabase {
  /** Name of the database; made with a table or two that the role owns. */
  name: string;
  role: string;
  /** Path of the password below the environment, such as "database/password". */
  secretName: string;
  /** Path of the user name, which the services read if it exists: `username` beside the password. */
  usernameName?: string;
  /** The keys of the user name and the password, if both are in one JSON document at `secretName`; and its other keys. */
  document?: DocumentKeys & { others?: Readonly<Record<string, unknown>> };
  /** Where Vault rotates the role's password itself (a static role), if it does. */
  vault?: {
    /** Vault's own login, made at the start, which may change the role and make others. */
    login: string;
    /** Where the services read, such as "database/static-creds/trader", unless each has a lease of its own. */
    creds?: string;
  };
}

/** Where a service gets short-lived logins. */
export interface LabLease {
  /** Such as "database/creds/signal-service". */
  path: string;
  /** The policy that lets it, which may be written later. */
  policy: string;
}

/** The policy by which the services read what Vault's database engine hands out; made by the pipeline. */
export const credsPolicy = (environment: string, secretName: string) =>
  `${environment}-${secretName.replaceAll("/", "-")}`;

/** A service of the platform. */
export interface LabService {
  name: string;
  /** `secretName` of the database it uses, if it uses one. */
  database?: string;
  /** Takes its login from Vault's database engine as soon as there is one for it. */
  lease?: LabLease;
  /** `secretName` of the lab's Redis, if it uses that. */
  redis?: string;
  /** `secretName` of the lab's issuer of keys, if it uses that. */
  apiKey?: string;
  /** Whether it uses Alpaca; false by default. */
  alpaca?: boolean;
  /** Names of the hosts it runs on; the first host by default. On several it has the same port on each. */
  hosts?: readonly string[];
  /** Works only now and then; for platforms of a hundred services. False by default. */
  quiet?: boolean;
}

export const DEFAULT_DATABASES: readonly LabDatabase[] = [
  { name: "trader", role: "trader", secretName: "database/password" },
];

/** The runbook's services, and one that uses neither. */
export const DEFAULT_SERVICES: readonly LabService[] = [
  { name: "signal-service", database: "database/password" },
  { name: "orchestrator", database: "database/password", alpaca: true },
  { name: "execution-gateway", alpaca: true },
  { name: "market-data-service", alpaca: true },
  { name: "risk-service" },
];

/** What everything below works on. */
export interface Platform {
  environment: string;
  postgres: Postgres;
  store: SecretBackend;
  alpaca: AlpacaEnvironment;
  redis?: Redis | undefined;
  issuer?: KeyIssuer | undefined;
  secret: SecretGenerator;
}

/** Makes database, role and tables, and puts the password into the store. Returns the password. */
export async function seedDatabase(platform: Platform, database: LabDatabase): Promise<string> {
  const { postgres, store } = platform;
  const password = platform.secret(`database ${database.role}`);
  const [name, role] = [pg.escapeIdentifier(database.name), pg.escapeIdentifier(database.role)];
  if (database.name !== postgres.database) await postgres.query(`create database ${name}`, [], "postgres");
  // The verifier, because the statement is in the server's log.
  const verifier = scramVerifier(password, randomBytes(16).toString("base64"));
  await postgres.query(
    `create role ${role} login password ${pg.escapeLiteral(verifier)};
     create table positions (symbol text primary key, quantity numeric not null default 0);
     create table orders (id bigint generated always as identity primary key, symbol text not null, placed_at timestamptz not null default now());
     alter table positions owner to ${role};
     alter table orders owner to ${role};
     grant create on schema public to ${role};`,
    undefined,
    database.name,
  );
  const { document } = database;
  if (document === undefined) await store.put(database.secretName, password);
  else {
    const data = { ...document.others, [document.username]: database.role, [document.password]: password };
    await store.putDocument(database.secretName, data);
  }
  return password;
}

/** Makes Vault's own login on a database. Returns its password; undefined if Vault has none there. */
export async function seedVaultLogin(platform: Platform, database: LabDatabase): Promise<string | undefined> {
  if (database.vault === undefined) return undefined;
  const password = platform.secret(`vault ${database.role}`);
  const [login, role] = [database.vault.login, database.role].map(pg.escapeIdentifier);
  const verifier = scramVerifier(password, randomBytes(16).toString("base64"));
  await platform.postgres.query(
    `create role ${login} login createrole password ${pg.escapeLiteral(verifier)};
     grant ${role} to ${login} with admin option;
     grant pg_signal_backend to ${login};`,
    undefined,
    database.name,
  );
  return password;
}

/** Makes a key pair and puts it into the store. */
export async function seedAlpaca({ alpaca, store }: Platform): Promise<AlpacaKey> {
  const key = alpaca.createKey();
  await store.put("alpaca/api_key_id", key.keyId);
  await store.put("alpaca/api_secret_key", key.secretKey);
  return key;
}

/** A service with the names of its hosts. */
export type PlacedService = HostService & Pick<LabService, "hosts">;

/** Each service's config, the same on every host. */
export async function describeServices(
  platform: Platform,
  databases: readonly LabDatabase[],
  services: readonly LabService[],
): Promise<PlacedService[]> {
  const { environment, alpaca } = platform;
  const policies = databases
    .filter(({ vault }) => vault?.creds)
    .map(({ secretName }) => credsPolicy(environment, secretName));
  const store = await platform.store.serviceStore(policies);
  const pair = {
    baseUrl: alpaca.url,
    keyIdPath: `${environment}/alpaca/api_key_id`,
    secretKeyPath: `${environment}/alpaca/api_secret_key`,
  };
  return Promise.all(
    services.map(async (service) => ({
      name: service.name,
      port: await freePort(),
      store:
        service.lease === undefined ? store : await platform.store.serviceStore([...policies, service.lease.policy]),
      ...(service.database !== undefined && {
        database: {
          ...databaseConfig(platform, databases, service.database),
          ...(service.lease && { leasePath: service.lease.path }),
        },
      }),
      ...(service.alpaca && { alpaca: pair }),
      ...(service.apiKey !== undefined &&
        platform.issuer && { apiKey: { url: platform.issuer.url, keyPath: `${environment}/${service.apiKey}` } }),
      ...(service.redis !== undefined && platform.redis && { redis: redisConfig(platform.redis, environment) }),
      ...(service.hosts && { hosts: service.hosts }),
      ...(service.quiet && { quiet: true }),
    })),
  );
}

const redisConfig = ({ nodes: [primary], user, secretName }: Redis, environment: string) => ({
  host: primary.host,
  port: primary.port,
  username: user,
  passwordPath: `${environment}/${secretName}`,
});

function databaseConfig({ environment, postgres }: Platform, databases: readonly LabDatabase[], secretName: string) {
  const database = databases.find((candidate) => candidate.secretName === secretName);
  if (!database) {
    const known = databases.map((candidate) => candidate.secretName).join(", ");
    throw new Error(`expected a database with the secret ${secretName}, found only ${known}`);
  }
  const usernameName = database.usernameName ?? secretName.replace(/[^/]+$/, "username");
  return {
    host: postgres.host,
    port: postgres.port,
    database: database.name,
    username: database.role,
    ...(database.vault?.creds !== undefined && { credsPath: database.vault.creds }),
    usernamePath: `${environment}/${usernameName}`,
    passwordPath: `${environment}/${secretName}`,
    ...(database.document && {
      documentKeys: { username: database.document.username, password: database.document.password },
    }),
    // Only the owner may: a login role that does not act as the owner shows.
    query: "select count(*) from positions",
  };
}
