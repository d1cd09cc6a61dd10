import { join } from "node:path";
import { LAB_START } from "../../../dev/lab/deploy";
import { type OpenBao, startOpenBao } from "../../../dev/lab/openbao";
import { servicePolicy } from "../../../dev/lab/policies";
import { poll } from "../../../dev/lab/poll";
import { freePort } from "../../../dev/lab/ports";
import type { Postgres } from "../../../dev/lab/postgres";
import { type SecretBackend, vaultBackend } from "../../../dev/lab/secret-backend";
import { generateSshKeys } from "../../../dev/lab/ssh-keys";
import { createStack, type Stack } from "../../../dev/lab/stack";
import { resolveToolchain } from "../../../dev/toolchain/resolve";
import type { Cluster } from "./cluster";
import { type GroundDatabase, prepareDatabase, startDatabase } from "./database";
import { type Docker, startDocker } from "./docker";
import { type Machine, startMachine } from "./machine";
import { type Raft, startRaft } from "./raft";
import { inScene, type Scene } from "./scene";
import { type FieldService, placeService, type ServicePlan } from "./service";

/** A platform of software that this project did not write. */
export interface Ground {
  readonly dir: string;
  readonly docker: Docker;
  readonly postgres: Postgres;
  /** If {@link GroundOptions.cluster} asks for one. */
  readonly cluster?: Cluster;
  /** The entry of the config key `secrets`. */
  readonly secret: Readonly<Record<string, unknown>>;
  readonly vault: OpenBao | Raft;
  readonly store: SecretBackend;
  readonly machines: readonly Machine[];
  readonly services: readonly FieldService[];
  readonly stack: Stack;
  stop(): Promise<void>;
}

/** What {@link startGround} takes. */
export interface GroundOptions {
  /** One server with its storage in memory (by default), or three with raft and TLS by a private CA. */
  readonly vault?: "single" | "raft";
  /** Prepares the part of Vault that the stack uses. By default its root namespace, with a token of the pipeline's own. */
  readonly tenant?: (vault: OpenBao | Raft) => Promise<Tenant>;
  /** A primary with a standby, HAProxy and PgBouncer, of the PostgreSQL below `home`; one server of Debian's by default. */
  readonly cluster?: { readonly home: string };
  /** Each service with the names of its hosts, and keys of the config beside `hosts` and `health`. */
  readonly services: Readonly<Record<string, { hosts: readonly string[]; config?: Readonly<Record<string, unknown>> }>>;
  /** Starts further services, before the stack is made. */
  readonly more?: (site: Site) => Promise<readonly FieldService[]>;
}

/** A part of Vault, and how the pipeline logs in there. */
export interface Tenant {
  /** Its requests go to the namespace. */
  readonly vault: Parameters<typeof vaultBackend>[0];
  readonly namespace: string;
  /** The config key `store`. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Where further services are started. */
export interface Site {
  readonly dir: string;
  readonly docker: Docker;
  /** What the services read. */
  readonly store: SecretBackend;
  /** What a service needs; it has a port of its own. */
  plan(name: string): Promise<ServicePlan>;
  /** Boots a further host. `shared`: files of this machine that it has, and where. */
  boot(name: string, shared: Readonly<Record<string, string>>): Promise<Machine>;
}

const ENVIRONMENT = "paper";

/** Starts hosts, servers, services, and a stack that has never run. What had been started is stopped when something fails. */
export const startGround = (options: GroundOptions): Promise<Ground> => inScene((scene) => assemble(scene, options));

async function assemble({ dir, started }: Scene, options: GroundOptions): Promise<Omit<Ground, "stop">> {
  const tools = await resolveToolchain({ need: ["pulumi", "openbao"] });
  const docker = await started(startDocker(dir));
  const server = await started<Awaited<ReturnType<typeof startDatabase>>>(startDatabase(dir, options.cluster));
  const bin = tools.openbao?.path ?? "bao";
  const vault = await started<OpenBao | Raft>(
    options.vault === "raft" ? startRaft({ dir, bin }) : startOpenBao({ dir, bin }),
  );
  const tenant = await options.tenant?.(vault);
  const seat = tenant?.vault ?? vault;
  const store = await vaultBackend(seat, ENVIRONMENT);
  const ca = "ca" in vault ? vault.ca : undefined;
  const database = await prepareDatabase(server, store, ENVIRONMENT);
  const token = await seat.createToken("services", servicePolicy({ mount: seat.mount, environment: ENVIRONMENT }));

  const keys = generateSshKeys();
  const names = [...new Set(Object.values(options.services).flatMap(({ hosts }) => hosts))];
  const machines: Machine[] = [];
  const boot: Site["boot"] = async (name, shared) => {
    const machine = await startMachine(docker, name, `127.0.1.${machines.length + 1}`, keys, shared);
    machines.push(machine);
    return machine;
  };
  for (const name of names) await boot(name, {});
  const plan = async (name: string, config: ServicePlan["config"] = {}): Promise<ServicePlan> => ({
    name,
    port: await freePort(),
    vault: {
      address: vault.address,
      token,
      mount: seat.mount,
      namespace: tenant?.namespace,
      ca,
      username: `${ENVIRONMENT}/database/username`,
      password: `${ENVIRONMENT}/database/password`,
    },
    paths: database.paths,
    config,
  });
  const placed = await Promise.all(
    Object.entries(options.services).map(async ([name, { hosts, config }]) => {
      const own = machines.filter((machine) => hosts.includes(machine.name));
      return placeService(await plan(name, config), own);
    }),
  );
  const services = [...placed, ...((await options.more?.({ dir, docker, store, plan, boot })) ?? [])];
  const secret = secretOf(database, services);
  const stack = await createStack({
    dir: join(dir, "stack"),
    stack: ENVIRONMENT,
    env: {
      ...tools.env,
      ...database.env,
      ...(tenant === undefined ? store.env : {}),
      ...(ca === undefined ? {} : { VAULT_CACERT: ca }),
    },
    config: {
      environment: ENVIRONMENT,
      store: tenant?.config ?? store.config,
      hosts: Object.fromEntries(machines.map(({ name, config }) => [name, config])),
      services: Object.fromEntries(services.map(({ name, config }) => [name, config])),
      secrets: [secret],
      // Without a broker there is no clock of the market.
      preflight: { allowOpenMarket: true },
      lab: { clock: LAB_START.toISOString() },
    },
    secrets: { sshPrivateKey: keys.private, adopted: JSON.stringify({ [database.secretName]: database.adopted }) },
  });
  await poll(async () => (await Promise.all(services.map((service) => service.healthy()))).every(Boolean), {
    what: "every service is healthy",
    limitMs: 120_000,
  });
  const { postgres, cluster } = database;
  return {
    dir,
    docker,
    postgres,
    ...(cluster === undefined ? {} : { cluster }),
    vault,
    store,
    machines,
    services,
    secret,
    stack,
  };
}

const secretOf = ({ secretName, role, config }: GroundDatabase, services: readonly FieldService[]) => ({
  ...{ kind: "postgres-password", name: secretName, ...config, role },
  restart: services.map(({ name }) => name),
});
