import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { openSshUser, startOpenSsh } from "./openssh";
import { copyService } from "./service-program";
import type { Fault, ServiceConfig } from "./services/types";
import { generateSshKeys } from "./ssh-keys";
import { startSshServer } from "./ssh-server";
import { type Around, type Restart, Supervisor } from "./supervisor";
import { startSystemctl } from "./systemctl";

/** A service to run on a host: everything but what the host decides. */
export type HostService = Omit<ServiceConfig, "address" | "files">;

/** What {@link startHost} takes. */
export interface HostOptions {
  /** Folder of the lab; the host gets a folder of its name in it. */
  dir: string;
  name: string;
  /** Loopback address of SSH and of the services: 127.0.0.1 by default; 127.0.0.2 and so on for further hosts. */
  address?: string;
  services: readonly HostService[];
  /** The bundled service; made when it is not given. */
  program?: string;
  /** The client key pair in OpenSSH's formats, for hosts that share one; made when it is not given. */
  clientKeys?: { private: string; public: string };
  /** Wraps every restart over SSH; none by default. */
  around?: Around | undefined;
  /** Its SSH server: this project's own, which sees to faults, or OpenSSH's. */
  openSsh?: boolean;
}

/** A machine with SSH, `systemctl` and services. */
export interface Host {
  readonly name: string;
  readonly address: string;
  /** Port of SSH. */
  readonly port: number;
  readonly user: string;
  /** `ssh-ed25519 AAAA…`, which a client must insist on. */
  readonly hostKey: string;
  /** OpenSSH PEM text of the one client key. */
  readonly privateKey: string;
  readonly dir: string;
  /** Holds `systemctl`, and one command a service for its dry run: `orchestrator --dry-run`. First in PATH over SSH. */
  readonly binDir: string;
  readonly services: readonly RunningService[];
  /** Every `systemctl restart` so far. */
  readonly restarts: readonly Restart[];
  /** Every `systemctl reload` and every signal so far. */
  readonly reloads: readonly Restart[];
  /** Lets a service misbehave, now and after restarts; `undefined` ends it. */
  setFault(service: string, fault: Fault | undefined): Promise<void>;
  /** What `systemctl VERB NAME` does, without SSH. */
  systemctl(verb: "start" | "stop" | "restart" | "is-active" | "status", service: string): Promise<number>;
  stop(): Promise<void>;
}

/** A service as it can be reached. */
export interface RunningService {
  name: string;
  port: number;
  /** `http://ADDRESS:PORT/health`, reachable on the host and from the lab. */
  healthUrl: string;
  logFile: string;
  config: ServiceConfig;
}

const USER = "deploy";

/** Starts a host. Its services are started, not waited for. */
export async function startHost(options: HostOptions): Promise<Host> {
  const address = options.address ?? "127.0.0.1";
  const dir = join(options.dir, options.name);
  await mkdir(dir, { mode: 0o700 });
  const program = options.program ?? (await copyService(dir));
  const supervisor = new Supervisor(dir, program, options.around);
  const services = options.services.map((service) => runningService(dir, address, service));
  const commands = Object.fromEntries(services.map(({ name }) => [name, serviceCommand(program, dir, name)]));
  const systemctl = await startSystemctl({ dir, supervisor, address, commands });
  const hostKeys = generateSshKeys();
  const clientKeys = options.clientKeys ?? generateSshKeys();
  const user = options.openSsh ? openSshUser() : USER;
  const server = {
    address,
    hostPrivateKey: hostKeys.private,
    authorizedKey: clientKeys.public,
    env: { PATH: `${systemctl.bin}:${process.env.PATH ?? "/usr/bin:/bin"}`, HOME: dir, USER: user, LANG: "C.UTF-8" },
    cwd: dir,
  };
  const ssh = await (options.openSsh ? startOpenSsh(server) : startSshServer({ ...server, user }));
  const stop = async (): Promise<void> => {
    await Promise.all([ssh.stop(), systemctl.stop(), supervisor.stop()]);
  };
  try {
    await Promise.all(services.map((service) => supervisor.add(service.config)));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    name: options.name,
    address,
    port: ssh.port,
    user,
    hostKey: hostKeys.public.trim(),
    privateKey: clientKeys.private,
    dir,
    binDir: systemctl.bin,
    services,
    restarts: supervisor.restarts,
    reloads: supervisor.reloads,
    setFault: (service, fault) => supervisor.setFault(service, fault),
    systemctl: async (verb, service) => (await supervisor.controlDirectly(verb, [service])).code,
    stop,
  };
}

function runningService(dir: string, address: string, service: HostService): RunningService {
  const file = (suffix: string) => join(dir, `${service.name}.${suffix}`);
  const files = {
    fault: file("fault.json"),
    load: file("load.json"),
    attempts: file("attempts.jsonl"),
    busy: file("busy"),
  };
  return {
    name: service.name,
    port: service.port,
    healthUrl: `http://${address}:${service.port}/health`,
    logFile: file("log"),
    config: { ...service, address, files },
  };
}

function serviceCommand(program: string, dir: string, name: string): string {
  return `exec '${process.execPath}' '${program}' '${join(dir, `${name}.json`)}' "$@"\n`;
}
