/** The config file of a service of the lab (JSON). */
export interface ServiceConfig {
  name: string;
  /** Loopback address and port of its `/health`. */
  address: string;
  port: number;
  store: StoreConfig;
  database?: DatabaseConfig;
  alpaca?: AlpacaConfig;
  redis?: RedisConfig;
  apiKey?: ApiKeyConfig;
  files: ServiceFiles;
  /** How long it trusts what it read; an hour by default, as on the platform. */
  cacheMs?: number;
  /** Works only now and then, so that a hundred of them leave a small machine idle. */
  quiet?: boolean;
}

/** Where the service reads its credentials. */
export type StoreConfig = VaultStoreConfig | AwsStoreConfig;

export interface AwsStoreConfig {
  kind: "aws";
  region: string;
  /** `http://127.0.0.1:PORT` */
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
}

export interface VaultStoreConfig {
  kind: "vault";
  /** `http://127.0.0.1:PORT` */
  address: string;
  token: string;
  /** KV v2 mount. */
  mount: string;
}

/** The keys of a login in a JSON document. */
export interface DocumentKeys {
  username: string;
  password: string;
}

/** The database it logs in to. */
export interface DatabaseConfig {
  host: string;
  port: number;
  database: string;
  /** Path below the mount, such as "paper/database/password". */
  passwordPath: string;
  /**
   * Where Vault hands out a role's login whose password it rotates itself, such as "database/static-creds/trader". Until
   * there is one (no static role, or no policy yet), the service takes the value at `passwordPath`.
   */
  credsPath?: string;
  /** Path of the user name; if it is not set, or nothing is there, the user is `username`. */
  usernamePath?: string;
  /** Set if user name and password are keys of one JSON document at `passwordPath`. */
  documentKeys?: DocumentKeys;
  username: string;
  /**
   * Where Vault's database engine issues its login, such as "database/creds/signal-service". While Vault has no such role
   * for it yet, it logs in with the password.
   */
  leasePath?: string;
  /** The query of its daily work; `select 1` by default. */
  query?: string;
}

/** The Redis it works with. */
export interface RedisConfig {
  host: string;
  port: number;
  username: string;
  /** Path below the mount, such as "paper/redis/password". */
  passwordPath: string;
}

/** The service whose API key it reads. */
export interface ApiKeyConfig {
  url: string;
  /** Path below the mount. */
  keyPath: string;
}

/** The broker it talks to. */
export interface AlpacaConfig {
  baseUrl: string;
  /** Paths below the mount. */
  keyIdPath: string;
  secretKeyPath: string;
}

/** Files that the service shares with the lab. */
export interface ServiceFiles {
  /** A {@link Fault}, or absent. */
  fault: string;
  /** A {@link LoadOrder}, or absent. */
  load: string;
  /** Where outcomes of the load go: an {@link Attempt} a line. */
  attempts: string;
  /** There while the service has an order or an attempt under way; its process's id. */
  busy: string;
}

/** How a service misbehaves, for tests of the health gate. */
export type Fault =
  /** Runs and says unhealthy. */
  | { kind: "never-healthy" }
  /** Healthy and unhealthy in turn: `periodMs` each (300 by default), or every other answer. */
  | { kind: "flaps"; periodMs?: number; everyOther?: true }
  /** Answers 200 with a page, as a proxy in front of a dead service does. */
  | { kind: "html" }
  /** Answers this and nothing else. */
  | { kind: "answers"; code: number; body: string }
  /** Takes the connection and never answers. */
  | { kind: "hangs" }
  /** Listens only after `ms`. */
  | { kind: "slow-start"; ms: number }
  /** Ends at once with exit code 1. */
  | { kind: "crashes" }
  /** `systemctl restart` or `reload` says that all is well and does nothing. */
  | { kind: "not-restarted" }
  /** Starts with these versions of the store, by path ("paper/database/password"), as from a cache of its own. */
  | { kind: "old-credential"; versions: Readonly<Record<string, number>> };

/** What the load generator asks of one service. */
export interface LoadOrder {
  loginsPerSecond: number;
  alpacaPerSecond: number;
  /** Epoch milliseconds at which it stops by itself. */
  until: number;
  /** Attempts of each kind, over all restarts of one process, after which it stops by itself. */
  max: number;
}

/** One attempt under load, with what the service held at that moment. */
export interface Attempt {
  kind: "login" | "alpaca";
  /** Epoch milliseconds at its start. */
  t: number;
  ms: number;
  ok: boolean;
  /** SQLSTATE, HTTP status or the name of a network error, when it failed. */
  code?: string;
}

/** The answer of `/health`. */
export interface Health {
  status: "healthy" | "unhealthy";
  service: string;
  secrets_backend: string;
  started_at: string;
  error?: string;
  database?: {
    user: string;
    role: string;
    version: number | string;
    generation?: string;
    loaded_at: string;
    lease?: LeaseHealth;
  };
  redis?: { user: string; version: number | string; generation?: string; loaded_at: string };
  /** `key`: the end of the key's hash. */
  api_key?: { key: string; account: string; version: number | string; generation?: string; loaded_at: string };
  alpaca?: { key_id_last4: string; account: string; version: number | string; generation?: string; loaded_at: string };
}

/** What `/health` says of a lease. */
export interface LeaseHealth {
  /** The end of the lease's id. */
  id: string;
  /** How long one renewal lasts. */
  ttl_seconds: number;
  /** ISO 8601; moves with each renewal. */
  expires_at: string;
}
