import { lastRowOfEach } from "../../audit/queries";
import { askAccount } from "../../clients/alpaca";
import { askHealth as askProbes } from "../../clients/probe";
import { type RunScript, runLimited, shellHere } from "../../clients/shell";
import { withHost } from "../../clients/ssh";
import { probeOf } from "../../components/service-probe";
import type { AlpacaKeyConfig, Config, HostConfig, SecretConfig, ServiceConfig } from "../../config";
import { probeAt, type Verdict } from "../../core/health";
import { alpacaPlaces } from "../../kinds/alpaca-key/places";
import { storeClient } from "../../stores";
import type { StoredValue } from "../../stores/store";
import { type LogRow, readLog } from "./audit-log";
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

/** Runs scripts where a service runs: over SSH, or on this machine. */
export function shellAt<T>(
  { sshPrivateKey }: Config,
  { hostName, host }: Pick<Place, "hostName" | "host">,
  use: (run: RunScript) => Promise<T>,
): Promise<T> {
  return host === undefined ? use(shellHere()) : withHost(hostName ?? "", host, sshPrivateKey ?? "", use);
}

/**
 * Runs a shell command where a service runs; its output.
 *
 * @param limit milliseconds until it is ended.
 * @throws with what it printed where it fails
 */
export function runAt(
  config: Config,
  place: Pick<Place, "hostName" | "host">,
  command: string,
  limit = 120_000,
): Promise<string> {
  return shellAt(config, place, async (run) => {
    const { status, output } = await runLimited(run, command, Math.ceil(limit / 1000));
    if (status === 0) return output;
    throw new Error(output.trim() || (status === null ? "it did not end in time" : `exit status ${status}`));
  });
}

/** What a service answers to the question for its health, asked from where it runs, and what the health gate makes of it. */
export function askHealth(config: Config, place: Place): Promise<Verdict> {
  const probe = probeAt(probeOf(place.config), place.host?.address ?? "localhost");
  return shellAt(config, place, async (run) => (await askProbes([probe], run))[0] as Verdict);
}

/** What the store holds at a path; undefined where there is nothing. */
export const stored = (config: Config, path: string): Promise<StoredValue | undefined> =>
  storeClient(storeOf(config)).read(path);

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
