import type { PipelineLogin } from "./pipeline-login";
import type { Postgres } from "./postgres";
import type { Host, RunningService } from "./ssh-host";

/** The stack config's keys that describe a lab. */
export interface LabConfig {
  hosts: Record<string, { address: string; port: number; user: string; hostKey: string }>;
  services: Record<string, { hosts: string[]; health: string }>;
  /** Belongs into a secret key. */
  sshPrivateKey: string;
}

/** PG* of a login. */
export function environmentOf(
  { host, port, database }: Postgres,
  { user, password }: PipelineLogin,
): Record<string, string> {
  return { PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password, PGDATABASE: database };
}

/** Hosts and services as the stack config names them. */
export function configOf(hosts: readonly Host[], sshPrivateKey: string): LabConfig {
  const config: LabConfig = { hosts: {}, services: {}, sshPrivateKey };
  for (const { name, address, port, user, hostKey, services } of hosts) {
    config.hosts[name] = { address, port, user, hostKey };
    for (const service of services) {
      config.services[service.name] ??= { hosts: [], health: `http://{address}:${service.port}/health` };
      config.services[service.name]?.hosts.push(name);
    }
  }
  return config;
}

/** A service on the named host, or on the first that has it. Throws when there is none. */
export function findService(hosts: readonly Host[], name: string, host?: string): RunningService {
  const candidates = hosts.filter((candidate) => host === undefined || candidate.name === host);
  const found = candidates.flatMap((candidate) => candidate.services).find((service) => service.name === name);
  if (!found) throw new Error(`expected a service of the lab, found "${name}"${host ? ` on ${host}` : ""}`);
  return found;
}
