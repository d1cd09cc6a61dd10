import type pg from "pg";
import { pause } from "../poll";
import { type AlpacaAccount, AlpacaStatusError, fetchAccount, fetchKeyAccount, keyTail, openPool } from "./clients";
import { type Credentials, type DatabaseLogin, issueLogin, readCredentials } from "./credentials";
import { LeaseKeeper } from "./lease-keeper";
import { shortLease } from "./leases";
import { RedisSession } from "./redis";
import type { SecretReader } from "./secret-reader";
import type { DatabaseConfig, Health, ServiceConfig } from "./types";

const HOUR_MS = 3_600_000;
const USE_EVERY_MS = 2000;
const QUIET_USE_EVERY_MS = 60_000;

/** The part of a service that holds credentials and works with them. */
export class Runtime {
  private readonly startedAt = new Date().toISOString();
  private held: Credentials | undefined;
  private pool: pg.Pool | undefined;
  private session: { user: string; role: string } | undefined;
  private redis: RedisSession | undefined;
  private account: AlpacaAccount | undefined;
  private keyAccount: string | undefined;
  private error: string | undefined = "starting";
  private expires = 0;
  private readonly keeper: LeaseKeeper | undefined;

  constructor(
    private readonly config: ServiceConfig,
    private readonly reader: SecretReader,
    private readonly log: (level: "INFO" | "ERROR", message: string) => void,
  ) {
    const { leases: source } = reader;
    if (source === undefined) return;
    const [replace, onFailure] = [() => this.replaceLease(), (error: unknown) => this.fail(error)];
    this.keeper = new LeaseKeeper({ source, replace, onFailure, log });
  }

  /** The credentials, once they have been proven to work. */
  readonly credentials = (): Credentials | undefined => this.held;

  /** Reads and proves the credentials, again and again with growing pauses until they work. */
  async start(): Promise<void> {
    for (let wait = 100; ; wait = Math.min(wait * 2, 3000)) {
      try {
        await this.load();
        break;
      } catch (error) {
        this.fail(error);
      }
      await pause(wait);
    }
    setInterval(() => void this.use(), this.config.quiet ? QUIET_USE_EVERY_MS : USE_EVERY_MS).unref();
  }

  /** Reads, proves, and only then holds a set of credentials. */
  async load(): Promise<void> {
    const { database, alpaca, redis, apiKey } = this.config;
    const read = await readCredentials(this.reader, this.config);
    if (alpaca && read.alpaca) {
      this.log("INFO", `Initialized AlpacaClient with key_id=…${read.alpaca.keyId.slice(-4)}`);
      this.account = await fetchAccount(alpaca, read.alpaca);
      this.log("INFO", `Account fetched successfully (buying_power=$${this.account.buying_power})`);
    }
    if (database && read.database) await this.openSession(database, read.database);
    if (redis && read.redis) {
      const session = await RedisSession.open(redis, read.redis.password);
      this.redis?.close();
      this.redis = session;
      this.log("INFO", `Connected to Redis as ${redis.username} (store version ${read.redis.version})`);
    }
    if (apiKey && read.apiKey) this.keyAccount = await fetchKeyAccount(apiKey, read.apiKey);
    this.held = read;
    this.expires = Date.now() + (this.config.cacheMs ?? HOUR_MS);
    if (this.error !== undefined) this.log("INFO", `${this.config.name} is healthy`);
    this.error = undefined;
  }

  /** Reads the credentials again while it works on with those it holds. @returns whether the new ones work */
  async reload(): Promise<boolean> {
    try {
      await this.load();
      return true;
    } catch (error) {
      this.fail(error);
      return false;
    }
  }

  private async openSession(config: DatabaseConfig, login: DatabaseLogin): Promise<void> {
    const pool = openPool(config, login, () => void this.keeper?.check());
    let session: typeof this.session;
    try {
      const { rows } = await pool.query<{ user: string; role: string }>(
        'select session_user::text as "user", current_user::text as role',
      );
      session = rows[0];
      await pool.query(config.query ?? "select 1");
    } catch (error) {
      await pool.end().catch(() => undefined);
      throw error;
    }
    void this.pool?.end().catch(() => undefined);
    // Together, so that /health never shows one login's name beside another's lease.
    this.pool = pool;
    this.session = session;
    this.keeper?.keep(login.lease);
    this.log("INFO", `Connected to the database as ${this.session?.user} (store version ${login.version})`);
  }

  /** Moves to a new login of the database engine; the previous one's sessions end when their work is done. */
  private async replaceLease(): Promise<void> {
    const { name, database } = this.config;
    if (database === undefined) return;
    const login = await issueLogin(this.reader, database);
    if (login === undefined) {
      throw new Error(
        `Vault issues no login at ${database.leasePath} any more (no such role, or its policy is gone from the token of ${name})`,
      );
    }
    await this.openSession(database, login);
    this.held = { ...this.held, database: login };
    this.error = undefined;
  }

  /** The service's daily work: a query and a request, with what it holds; reads again when the hour is over. */
  private async use(): Promise<void> {
    try {
      if (Date.now() > this.expires) return await this.load();
      await this.pool?.query(this.config.database?.query ?? "select 1");
      await this.useRedis();
      if (this.config.apiKey && this.held?.apiKey) await fetchKeyAccount(this.config.apiKey, this.held.apiKey);
      if (this.config.alpaca && this.held?.alpaca) await fetchAccount(this.config.alpaca, this.held.alpaca);
      this.error = undefined;
    } catch (error) {
      // Only a refused credential makes the service unhealthy; a slow broker does not.
      if (error instanceof AlpacaStatusError && error.status !== 401) this.log("ERROR", error.message);
      else this.fail(error);
      await this.keeper?.check();
    }
  }

  /** As a client library does it: a connection that was lost is opened anew with what the service holds. */
  private async useRedis(): Promise<void> {
    const [config, login] = [this.config.redis, this.held?.redis];
    if (config === undefined || login === undefined) return;
    await this.redis?.ask("PING").catch(async () => {
      this.redis?.close();
      this.redis = await RedisSession.open(config, login.password);
    });
  }

  private fail(error: unknown): void {
    this.error = error instanceof Error ? error.message : String(error);
    this.log("ERROR", this.error);
  }

  /** What `/health` says; never a secret. */
  health(): Health {
    const { database, alpaca, redis, apiKey } = this.held ?? {};
    const origin = (of: { version: number | string; generation?: string; loadedAt: string }) => ({
      version: of.version,
      ...(of.generation !== undefined && { generation: of.generation }),
      loaded_at: of.loadedAt,
    });
    return {
      status: this.error === undefined ? "healthy" : "unhealthy",
      service: this.config.name,
      secrets_backend: this.reader.backend,
      started_at: this.startedAt,
      ...(this.error !== undefined && { error: this.error }),
      ...(database && this.session && { database: { ...this.session, ...origin(database), ...this.leaseHealth() } }),
      ...(redis && { redis: { user: this.config.redis?.username ?? "", ...origin(redis) } }),
      ...(apiKey && {
        api_key: { key: keyTail(apiKey.key), account: this.keyAccount ?? "", ...origin(apiKey) },
      }),
      ...(alpaca && {
        alpaca: {
          key_id_last4: alpaca.keyId.slice(-4),
          account: this.account?.account_number ?? "",
          ...origin(alpaca),
        },
      }),
    };
  }

  private leaseHealth(): Pick<NonNullable<Health["database"]>, "lease"> {
    const lease = this.keeper?.lease;
    if (lease === undefined) return {};
    const { id, ttlMs, expiresAt } = lease;
    return {
      lease: { id: shortLease(id), ttl_seconds: ttlMs / 1000, expires_at: new Date(expiresAt).toISOString() },
    };
  }
}
