import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Alpaca, startAlpaca } from "./alpaca";
import type { AlpacaKey } from "./alpaca-state";
import { guardFolder } from "./guard";
import { type KeyIssuer, startKeyIssuer } from "./key-issuer";
import { configOf, environmentOf, findService, type LabConfig } from "./lab-config";
import { type Moto, startMoto } from "./moto";
import { type OpenBao, startOpenBao } from "./openbao";
import { createPipelineLogin } from "./pipeline-login";
import {
  DEFAULT_DATABASES,
  DEFAULT_SERVICES,
  describeServices,
  type LabDatabase,
  type LabService,
  type PlacedService,
  type Platform,
  seedAlpaca,
  seedDatabase,
  seedVaultLogin,
} from "./platform";
import { poll } from "./poll";
import { type Postgres, startPostgres } from "./postgres";
import { type Redis, type RedisOptions, startRedis } from "./redis";
import { awsBackend, type SecretBackend, vaultBackend } from "./secret-backend";
import { randomSecret, type SecretGenerator } from "./secrets";
import { copyService } from "./service-program";
import type { Health } from "./services/types";
import { type Slack, startSlack } from "./slack";
import { type Smtp, startSmtp } from "./smtp";
import { type Host, type HostOptions, type RunningService, startHost } from "./ssh-host";
import { generateSshKeys } from "./ssh-keys";
import { endPulumiProcesses } from "./stack-processes";

/** What {@link startLab} takes. */
export interface LabOptions {
  /** Path of the `bao` binary. */
  openbao: string;
  /** Path of `moto_server`, for the store "aws". */
  moto?: string;
  /** Where the services read their secrets; "vault" by default. */
  store?: SecretBackend["kind"];
  /** "paper" by default; any other environment uses Alpaca's live API. */
  environment?: string;
  /** Names of the hosts, on 127.0.0.1, 127.0.0.2 and so on; one host "trading-1" by default. */
  hosts?: readonly string[];
  /** The database `trader` of the role `trader` with the secret `database/password` by default. */
  databases?: readonly LabDatabase[];
  /** The runbook's four and `risk-service` by default. */
  services?: readonly LabService[];
  /** Makes every secret of the lab. */
  secret?: SecretGenerator;
  /** Settings of PostgreSQL beyond the lab's own. */
  postgresSettings?: Record<string, string>;
  /** A Redis whose password the services with `redis` read; none by default. */
  redis?: Pick<RedisOptions, "replicas" | "user" | "secretName" | "server">;
  /** Whether there is an issuer of keys, which services with `apiKey` use; false by default. */
  issuer?: boolean;
  /** Wraps every restart over SSH; none by default. */
  around?: HostOptions["around"];
  /** Whether the hosts' SSH server is OpenSSH's; false by default. */
  openSsh?: boolean;
}

/** The name of the Alpaca pair, as the pipeline calls it. */
export const ALPACA_KEY = "alpaca/api_key";

/** A whole platform on loopback. */
export interface Lab {
  /** Everything of the lab is below it; gone after `stop`. */
  readonly dir: string;
  readonly environment: string;
  readonly postgres: Postgres;
  readonly openbao: OpenBao;
  /** The emulator of AWS, if the store is "aws" or its path was given. */
  readonly moto: Moto | undefined;
  /** The store that the services read. */
  readonly store: SecretBackend;
  readonly alpaca: Alpaca;
  readonly redis: Redis | undefined;
  /** It has made one key, which the store has. */
  readonly issuer: KeyIssuer | undefined;
  readonly slack: Slack;
  readonly smtp: Smtp;
  readonly hosts: readonly Host[];
  /** The passwords in use at the start, by the secret's name. */
  readonly adopted: Readonly<Record<string, string>>;
  /** The passwords of Vault's own logins, by the database's name, which its connections have too. */
  readonly connectionPasswords: Readonly<Record<string, string>>;
  /** The Alpaca pair in use at the start. */
  readonly adoptedAlpaca: AlpacaKey;
  /** PG* and VAULT_* or AWS_* for running `pulumi`, with the pipeline's own credentials and the privileges of `deploy/`. */
  readonly env: Readonly<Record<string, string>>;
  /** PG* of PostgreSQL's superuser, for what the pipeline may not do (`rotation audit prune`). */
  readonly adminEnv: Readonly<Record<string, string>>;
  /** The stack config's keys that describe the lab: `hosts`, `services`, and the secret `sshPrivateKey`. */
  readonly config: LabConfig;
  readonly databases: readonly LabDatabase[];
  /** The services that read a database's password, in the order in which they are restarted. */
  readers(secretName: string): string[];
  /** A service on its first host, or on the named one. Throws when there is none. */
  service(name: string, host?: string): RunningService;
  /** What `/health` of a service answers. */
  health(name: string, host?: string): Promise<Health>;
  /** Resolves when every service is healthy. */
  healthy(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts everything and waits until every service is healthy. What had been started is stopped when something fails. */
export async function startLab(options: LabOptions): Promise<Lab> {
  const dir = join(tmpdir(), `secret-rotation-lab-${randomBytes(6).toString("hex")}`);
  // Registered before it exists, so that it can never be left behind.
  const release = guardFolder(dir);
  await mkdir(dir, { mode: 0o700 });
  const cleanups: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    const stops = cleanups.splice(0);
    await endPulumiProcesses(dir);
    await Promise.allSettled(stops.map((cleanup) => cleanup()));
    await rm(dir, { recursive: true, force: true });
    release();
  };
  try {
    return await assemble(options, dir, cleanups, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function assemble(
  options: LabOptions,
  dir: string,
  cleanups: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
): Promise<Lab> {
  const { environment = "paper", secret = randomSecret, around, openSsh = false } = options;
  const databases = options.databases ?? DEFAULT_DATABASES;
  const started = async <T extends { stop(): Promise<unknown> }>(starting: Promise<T>): Promise<T> => {
    const server = await starting;
    cleanups.push(() => server.stop());
    return server;
  };
  const emulator: Promise<Moto | undefined> =
    options.moto === undefined ? Promise.resolve(undefined) : started(startMoto({ dir, bin: options.moto }));
  const [postgres, openbao, moto, alpaca, slack, smtp, program, redis, issuer] = await allStarted([
    started(startPostgres({ dir, database: databases[0]?.name, settings: options.postgresSettings, secret })),
    started(startOpenBao({ dir, bin: options.openbao })),
    emulator,
    started(startAlpaca({ secret })),
    started(startSlack()),
    started(startSmtp({ secret })),
    copyService(dir),
    options.redis === undefined ? Promise.resolve(undefined) : started(startRedis({ dir, secret, ...options.redis })),
    options.issuer === true ? started(startKeyIssuer({ secret })) : Promise.resolve(undefined),
  ]);
  const broker = environment === "paper" ? alpaca.paper : alpaca.live;
  const store = await chooseStore(options.store ?? "vault", environment, openbao, moto);
  const platform: Platform = { environment, postgres, store, alpaca: broker, redis, issuer, secret };
  const adopted: Record<string, string> = {};
  const connectionPasswords: Record<string, string> = {};
  for (const database of databases) {
    adopted[database.secretName] = await seedDatabase(platform, database);
    const own = await seedVaultLogin(platform, database);
    if (own !== undefined) connectionPasswords[database.name] = own;
  }
  if (redis !== undefined) {
    adopted[redis.secretName] = redis.password;
    await store.put(redis.secretName, redis.password);
  }
  if (issuer !== undefined) await store.put(issuer.secretName, issuer.createKey().key);
  const adoptedAlpaca = await seedAlpaca(platform);
  const pipeline = await createPipelineLogin(postgres, databases, secret("pipeline's database login"));

  const clientKeys = generateSshKeys();
  const services = await describeServices(platform, databases, options.services ?? DEFAULT_SERVICES);
  const plans = planHosts(options.hosts ?? ["trading-1"], services);
  const hosts = await Promise.all(
    plans.map((plan) => started(startHost({ dir, program, clientKeys, around, openSsh, ...plan }))),
  );
  const lab: Lab = {
    dir,
    environment,
    postgres,
    openbao,
    moto,
    store,
    alpaca,
    redis,
    issuer,
    slack,
    smtp,
    hosts,
    adopted,
    adoptedAlpaca,
    stop,
    connectionPasswords,
    env: { ...environmentOf(postgres, pipeline), ...store.env, ...(redis && { REDISCLI_AUTH: redis.adminPassword }) },
    adminEnv: environmentOf(postgres, { user: postgres.adminUser, password: postgres.adminPassword }),
    config: configOf(hosts, clientKeys.private),
    databases,
    readers: (secretName) =>
      (options.services ?? DEFAULT_SERVICES)
        .filter(({ alpaca, database, redis, apiKey }) =>
          secretName === ALPACA_KEY ? alpaca : [database, redis, apiKey].includes(secretName),
        )
        .map(({ name }) => name),
    service: (name, host) => findService(hosts, name, host),
    health: async (name, host) => (await (await fetch(findService(hosts, name, host).healthUrl)).json()) as Health,
    healthy: async () => void (await Promise.all(hosts.flatMap((host) => host.services.map(becomesHealthy)))),
  };
  await lab.healthy();
  return lab;
}

async function chooseStore(kind: SecretBackend["kind"], environment: string, openbao: OpenBao, moto: Moto | undefined) {
  if (kind === "vault") return vaultBackend(openbao, environment);
  if (moto === undefined) throw new Error('expected the path of `moto_server` for the store "aws", found none');
  return awsBackend(moto, environment);
}

/** Which host has which address and services; a service that names none runs on the first. */
function planHosts(names: readonly string[], services: readonly PlacedService[]): Pick<HostOptions, HostPlanKey>[] {
  for (const host of services.flatMap((service) => service.hosts ?? [])) {
    if (!names.includes(host)) throw new Error(`expected one of the hosts ${names.join(", ")}, found "${host}"`);
  }
  return names.map((name, index) => ({
    name,
    address: `127.0.0.${index + 1}`,
    services: services.filter((service) => (service.hosts ?? names.slice(0, 1)).includes(name)),
  }));
}

type HostPlanKey = "name" | "address" | "services";

// As Promise.all, but it rejects only when all have settled, so that all can be stopped.
async function allStarted<T extends readonly unknown[]>(
  promises: {
    [K in keyof T]: Promise<T[K]>;
  },
): Promise<T> {
  await Promise.allSettled(promises);
  return (await Promise.all(promises)) as unknown as T;
}

function becomesHealthy({ name, healthUrl, logFile }: RunningService): Promise<true> {
  const what = `${name} healthy (its log: ${logFile})`;
  return poll(
    async () => {
      const answer = await fetch(healthUrl, { signal: AbortSignal.timeout(1000) });
      if (!answer.ok) throw new Error(await answer.text());
      return true as const;
    },
    { what, limitMs: 60_000 },
  );
}
