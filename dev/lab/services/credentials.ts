import { type Lease, shortLease } from "./leases";
import type { SecretReader, StoredValue } from "./secret-reader";
import { readPair, required } from "./store";
import type { AlpacaConfig, ApiKeyConfig, DatabaseConfig, DocumentKeys, RedisConfig, ServiceConfig } from "./types";

/** What a service holds in memory. */
export interface Credentials {
  database?: DatabaseLogin;
  alpaca?: AlpacaPair;
  redis?: RedisLogin;
  apiKey?: ApiKey;
}

/** Which version of the store a credential came from, and when. */
export interface Origin {
  version: number | string;
  generation?: string;
  loadedAt: string;
}

export interface DatabaseLogin extends Origin {
  user: string;
  password: string;
  /** Where Vault's database engine made the login. */
  lease?: Lease;
}

export interface RedisLogin extends Origin {
  password: string;
}

export interface ApiKey extends Origin {
  key: string;
}

export interface AlpacaPair extends Origin {
  keyId: string;
  secretKey: string;
}

/** Reads everything the service needs; what comes in two parts comes as one pair. */
export async function readCredentials(reader: SecretReader, config: ServiceConfig): Promise<Credentials> {
  return {
    ...(config.database && { database: await readLogin(reader, config.database) }),
    ...(config.alpaca && { alpaca: await readKeys(reader, config.alpaca) }),
    ...(config.redis && { redis: await readRedis(reader, config.redis) }),
    ...(config.apiKey && { apiKey: await readApiKey(reader, config.apiKey) }),
  };
}

/** A login of the database engine if it issues one, else the one in the store. */
async function readLogin(reader: SecretReader, config: DatabaseConfig): Promise<DatabaseLogin> {
  const { credsPath, usernamePath, passwordPath, documentKeys } = config;
  const leased = await issueLogin(reader, config);
  if (leased !== undefined) return leased;
  const issued = credsPath === undefined ? undefined : await reader.staticLogin?.(credsPath);
  if (issued) return { ...issued, loadedAt: new Date().toISOString() };
  if (documentKeys !== undefined) return readDocument(reader, passwordPath, documentKeys);
  const password = await required(reader, passwordPath);
  // Read after the password: a name that was written in the meantime may belong to it.
  if (usernamePath === undefined || !(await reader.read(usernamePath))) {
    return { user: config.username, password: password.value, ...origin(password) };
  }
  const [user, paired] = await readPair(reader, [usernamePath, passwordPath]);
  return { user: user.value, password: paired.value, ...origin(paired) };
}

/** One document is read at once, so its halves always belong together. */
async function readDocument(reader: SecretReader, path: string, keys: DocumentKeys): Promise<DatabaseLogin> {
  const found = await reader.document(path);
  const [user, password] = [found?.data[keys.username], found?.data[keys.password]];
  if (found === undefined || typeof user !== "string" || typeof password !== "string")
    throw new Error(`expected the keys ${keys.username} and ${keys.password} at ${path}`);
  return { user, password, version: found.version, loadedAt: new Date().toISOString() };
}

/** A new login of the database engine; undefined if the service does not use it. */
export async function issueLogin(
  { leases }: SecretReader,
  { leasePath }: DatabaseConfig,
): Promise<DatabaseLogin | undefined> {
  const lease = leasePath === undefined ? undefined : await leases?.issue(leasePath);
  if (lease === undefined) return undefined;
  const { id, user, password } = lease;
  return { user, password, version: shortLease(id), loadedAt: new Date().toISOString(), lease };
}

async function readKeys(reader: SecretReader, config: AlpacaConfig): Promise<AlpacaPair> {
  const [id, secret] = await readPair(reader, [config.keyIdPath, config.secretKeyPath]);
  return { keyId: id.value, secretKey: secret.value, ...origin(secret) };
}

async function readApiKey(reader: SecretReader, { keyPath }: ApiKeyConfig): Promise<ApiKey> {
  const key = await required(reader, keyPath);
  return { key: key.value, ...origin(key) };
}

async function readRedis(reader: SecretReader, { passwordPath }: RedisConfig): Promise<RedisLogin> {
  const password = await required(reader, passwordPath);
  return { password: password.value, ...origin(password) };
}

function origin({ version, generation }: StoredValue): Origin {
  return { version, loadedAt: new Date().toISOString(), ...(generation !== undefined && { generation }) };
}
