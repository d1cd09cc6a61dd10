import { askAccount } from "../alpaca/client";
import { alpacaPlaces } from "../alpaca/places";
import { lastRowOfEach } from "../audit/queries";
import type {
  AlpacaKeyConfig,
  Config,
  DatabasePasswordConfig,
  HostConfig,
  SecretConfig,
  ServiceConfig,
} from "../config";
import { APPLICATION, withDatabase } from "../steps/database";
import { messageOf } from "../steps/run-step";
import { withHost } from "../steps/ssh";
import { type StoredValue, storeClient } from "../steps/store";
import { type LogRow, readLog, referenceOf } from "./audit-log";
import type { Login } from "./credentials";
import { type Deployment, Engine } from "./engine";
import { readOutputs } from "./outputs";
import { storeOf } from "./preflight-input";
import type { Project } from "./project";
import { clockOf, readConfig } from "./settings";

/** What is known of a stack before anything is asked on the outside. */
export interface Stack {
  readonly project: Project;
  readonly config: Config;
  readonly engine: Engine;
  readonly outputs: Awaited<ReturnType<typeof readOutputs>>;
  readonly deployment: Deployment;
  readonly now: Date;
}

/** Reads all of it. @throws ConfigError, UsageError */
export async function readStack(project: Project): Promise<Stack> {
  const [config, engine] = await Promise.all([readConfig(project), Engine.open(project, { reads: true })]);
  const [outputs, deployment] = await Promise.all([readOutputs(project), engine.exportState()]);
  return { project, config, engine, outputs, deployment, now: clockOf(config) };
}

/** Where a service runs: its host's name, or undefined for this machine. */
export interface Place {
  readonly service: string;
  readonly config: ServiceConfig;
  readonly hostName: string | undefined;
  readonly host: HostConfig | undefined;
}

/** Every place of the services that read a secret. */
export function placesOf({ services, hosts }: Config, { restart }: Pick<SecretConfig, "restart">): Place[] {
  return restart.flatMap((service): Place[] => {
    const config = services[service];
    if (config === undefined) return [];
    if (config.hosts.length === 0) return [{ service, config, hostName: undefined, host: undefined }];
    return config.hosts.map((hostName) => ({ service, config, hostName, host: hosts[hostName] }));
  });
}

export const placeName = ({ service, hostName }: Place): string =>
  `${service}${hostName === undefined ? "" : ` on ${hostName}`}`;

/** Runs a shell command where a service runs; its output. @throws with what it printed where it fails */
export async function runAt({ sshPrivateKey }: Config, { hostName, host }: Place, command: string): Promise<string> {
  if (host !== undefined) return withHost(hostName ?? "", host, sshPrivateKey ?? "", (run) => run(command));
  return runHere(command, 120_000);
}

/** Runs a shell command on this machine. @throws with what it printed where it fails */
export async function runHere(command: string, timeout: number): Promise<string> {
  const { execa } = await import("execa");
  const { failed, all, shortMessage } = await execa(command, {
    shell: "/bin/sh",
    all: true,
    reject: false,
    stdin: "ignore",
    timeout,
  });
  if (failed) throw new Error(all?.trim() || shortMessage || "the command failed");
  return all ?? "";
}

/** What a service's `/health` answers, from where it runs. */
export function askHealth(config: Config, place: Place): Promise<string> {
  const url = place.config.health.replaceAll("{address}", place.host?.address ?? "localhost");
  return runAt(config, place, `curl -sS --max-time 10 '${url.replaceAll("'", "'\\''")}' 2>&1 || true`);
}

export const isHealthy = (answer: string): boolean => /"status"\s*:\s*"healthy"/.test(answer);

/** What the store holds at a path; undefined where there is nothing. */
export const stored = (config: Config, path: string): Promise<StoredValue | undefined> =>
  storeClient(storeOf(config)).read(path);

/** Whether a login works, by really trying; the reason where it is refused. */
export async function tryLogin(
  { database }: DatabasePasswordConfig,
  { username, password }: Pick<Login, "username" | "password">,
): Promise<{ readonly works: boolean; readonly evidence: string }> {
  const { user: _, ...reference } = referenceOf(database);
  try {
    await withDatabase({ ...reference, user: username }, (client) => client.query("SELECT 1"), password);
    return { works: true, evidence: `${username} logs in` };
  } catch (error) {
    return { works: false, evidence: messageOf(error) };
  }
}

/** Open sessions of some roles but this program's own: how many, and since when the oldest. */
export function sessionsOf(secret: DatabasePasswordConfig, roles: readonly string[]): Promise<Session[]> {
  return withDatabase(referenceOf(secret.database), async (client) => {
    const { rows } = await client.query<Session>(
      `SELECT usename AS role, count(*)::int AS count, min(backend_start) AS oldest FROM pg_stat_activity
       WHERE usename = ANY($1) AND datname = current_database() AND application_name <> $2 GROUP BY usename`,
      [roles, APPLICATION],
    );
    return rows;
  });
}

export interface Session {
  readonly role: string;
  readonly count: number;
  /** Null where the run's login may not see it: it needs `pg_read_all_stats`. */
  readonly oldest: Date | null;
}

/** `2 sessions of trader_a, the oldest since 2026-11-23 02:00 UTC` */
export const sessionWords = ({ role, count, oldest }: Session): string =>
  `${count} session${count === 1 ? "" : "s"} of ${role}${oldest === null ? "" : `, the oldest since ${utc(oldest)}`}`;

/** A time to the minute: `2026-11-23 08:05 UTC`. */
export const utc = (date: Date | string): string =>
  `${new Date(date).toISOString().slice(0, 16).replace("T", " ")} UTC`;

/** Alpaca's answer to a pair: 200, 401 or 403. @throws AlpacaUnavailableError */
export async function askAlpaca(
  config: Config,
  pair: { readonly keyId: string; readonly secretKey: string },
): Promise<number> {
  if (config.alpaca === undefined) throw new Error("the config key `alpaca` is not set");
  const { baseUrl } = alpacaPlaces(config.alpaca, config.environment);
  return (await askAccount(baseUrl, pair, { limit: 10_000, timeout: 5000 })).status;
}

/** The pair that the store holds. */
export async function storedPair(config: Config, secret: AlpacaKeyConfig) {
  const [keyId, secretKey] = await Promise.all([
    stored(config, secret.keyIdPath),
    stored(config, secret.secretKeyPath),
  ]);
  return keyId === undefined || secretKey === undefined ? undefined : { keyId, secretKey };
}

/** The newest row of a secret; undefined where there is none. @throws AuditLogError */
export async function lastRow(config: Config, secret: string): Promise<LogRow | undefined> {
  const { environment } = config;
  const rows = await readLog(config, (client) => lastRowOfEach(client, { secretName: secret, environment }));
  return rows?.toSorted((a, b) => a.id - b.id).at(-1);
}
