import { askHealth as askProbes } from "../clients/probe";
import { type RunScript, runLimited, shellHere } from "../clients/shell";
import { withHost } from "../clients/ssh";
import type { Config, HostConfig, SecretConfig, ServiceConfig } from "../config";
import { probeAt, type Verdict } from "../core/health";
import { sshKeyOf } from "../core/ssh-key";
import { restartAt } from "./restart/at-place";
import { restartInput } from "./restart-input";
import { probeOf } from "./service-probe";

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

/** Runs scripts at a place: over SSH, or on this machine. */
function shellAt<T>(
  config: Config,
  { hostName, host }: Pick<Place, "hostName" | "host">,
  use: (run: RunScript) => Promise<T>,
): Promise<T> {
  return host === undefined ? use(shellHere()) : withHost(hostName ?? "", host, sshKeyOf(config), use);
}

/**
 * Runs a shell command at a place; its output.
 *
 * @param limit milliseconds until it is ended.
 * @throws with what it printed if it fails
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

/** A service's answer about its health, queried from its own place, and the health gate's verdict. */
export function askHealth(config: Config, place: Place): Promise<Verdict> {
  const probe = probeAt(probeOf(place.config), place.host?.address ?? "localhost");
  return shellAt(config, place, async (run) => (await askProbes([probe], run))[0] as Verdict);
}

/** Restarts what runs at these places, one after the other, each with its health gate. @returns what was done, in words */
export async function restartPlaces(config: Config, places: readonly Place[]): Promise<string> {
  const done: string[] = [];
  for (const place of places) done.push(await restart(config, place));
  return done.join("; ");
}

/** Restarts what runs at a place, unless it is healthy: an earlier fix may have restarted it already. */
export async function restartUnlessHealthy(config: Config, place: Place): Promise<string> {
  const verdict = await askHealth(config, place).catch(() => undefined);
  return verdict?.healthy ? `${placeName(place)} is healthy by now` : restart(config, place);
}

/** As a rotation restarts it, with its hooks; which credential it then uses is for the rotation to prove. */
function restart(config: Config, place: Place): Promise<string> {
  const input = restartInput<string>(place, []);
  const at = { ...input, redacted: [], place: place.hostName ?? "this machine" };
  return shellAt(config, place, async (run) => (await restartAt(at, run)).said);
}
