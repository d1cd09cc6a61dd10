import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LAB_START } from "../../../dev/lab/deploy";
import { guardFolder } from "../../../dev/lab/guard";
import { environmentOf } from "../../../dev/lab/lab-config";
import { type OpenBao, startOpenBao } from "../../../dev/lab/openbao";
import { createPipelineLogin } from "../../../dev/lab/pipeline-login";
import { DEFAULT_DATABASES, seedDatabase } from "../../../dev/lab/platform";
import { servicePolicy } from "../../../dev/lab/policies";
import { poll } from "../../../dev/lab/poll";
import { freePort } from "../../../dev/lab/ports";
import { type Postgres, startPostgres } from "../../../dev/lab/postgres";
import { vaultBackend } from "../../../dev/lab/secret-backend";
import { randomSecret } from "../../../dev/lab/secrets";
import { generateSshKeys } from "../../../dev/lab/ssh-keys";
import { createStack, type Stack } from "../../../dev/lab/stack";
import { endPulumiProcesses } from "../../../dev/lab/stack-processes";
import { resolveToolchain } from "../../../dev/toolchain/resolve";
import { type Docker, startDocker } from "./docker";
import { type Machine, startMachine } from "./machine";
import { type Raft, startRaft } from "./raft";
import { type FieldService, placeService } from "./service";

/** A platform of software that this project did not write. */
export interface Ground {
  readonly dir: string;
  readonly docker: Docker;
  readonly postgres: Postgres;
  readonly vault: OpenBao | Raft;
  readonly machines: readonly Machine[];
  readonly services: readonly FieldService[];
  readonly stack: Stack;
  stop(): Promise<void>;
}

/** What {@link startGround} takes. */
export interface GroundOptions {
  /** One server with its storage in memory (by default), or three with raft and TLS by a private CA. */
  readonly vault?: "single" | "raft";
  /** Each service with the names of its hosts, and keys of the config beside `hosts` and `health`. */
  readonly services: Readonly<Record<string, { hosts: readonly string[]; config?: Readonly<Record<string, unknown>> }>>;
}

const ENVIRONMENT = "paper";
/** PostgreSQL of the distribution. */
const POSTGRES_HOME = "/usr/lib/postgresql/15";

/** Starts hosts, servers, services, and a stack that has never run. What had been started is stopped when something fails. */
export async function startGround(options: GroundOptions): Promise<Ground> {
  const dir = join(tmpdir(), `secret-rotation-field-${randomBytes(6).toString("hex")}`);
  const release = guardFolder(dir);
  await mkdir(dir, { mode: 0o711 });
  const cleanups: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    await endPulumiProcesses(dir);
    for (const cleanup of cleanups.splice(0).reverse()) await Promise.allSettled([cleanup()]);
    await rm(dir, { recursive: true, force: true });
    release();
  };
  const started = async <T extends { stop(): Promise<unknown> }>(starting: Promise<T>): Promise<T> => {
    const server = await starting;
    cleanups.push(() => server.stop());
    return server;
  };
  try {
    return { ...(await assemble(dir, started, options)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function assemble(
  dir: string,
  started: <T extends { stop(): Promise<unknown> }>(starting: Promise<T>) => Promise<T>,
  options: GroundOptions,
): Promise<Omit<Ground, "stop">> {
  const tools = await resolveToolchain({ need: ["pulumi", "openbao"] });
  const docker = await started(startDocker(dir));
  const postgres = await started(startPostgres({ dir, home: POSTGRES_HOME, settings: { log_connections: "on" } }));
  const bin = tools.openbao?.path ?? "bao";
  const vault = await started<OpenBao | Raft>(
    options.vault === "raft" ? startRaft({ dir, bin }) : startOpenBao({ dir, bin }),
  );
  const store = await vaultBackend(vault, ENVIRONMENT);
  const ca = "ca" in vault ? vault.ca : undefined;
  const [database] = DEFAULT_DATABASES;
  if (database === undefined) throw new Error("expected a database of the lab, found none");
  // Only what a database needs is used of it.
  const platform = { environment: ENVIRONMENT, postgres, store, secret: randomSecret } as Parameters<
    typeof seedDatabase
  >[0];
  const adopted = await seedDatabase(platform, database);
  await store.put("database/username", database.role);
  const pipeline = await createPipelineLogin(postgres, DEFAULT_DATABASES, randomSecret("pipeline"));
  const token = await vault.createToken("services", servicePolicy({ mount: vault.mount, environment: ENVIRONMENT }));

  const keys = generateSshKeys();
  const names = [...new Set(Object.values(options.services).flatMap(({ hosts }) => hosts))];
  const machines: Machine[] = [];
  for (const [index, name] of names.entries())
    machines.push(await startMachine(docker, name, `127.0.1.${index + 1}`, keys));
  const path = { host: postgres.host, port: postgres.port, database: database.name };
  const services = await Promise.all(
    Object.entries(options.services).map(async ([name, { hosts, config }]) =>
      placeService(
        {
          name,
          port: await freePort(),
          vault: {
            address: vault.address,
            token,
            mount: vault.mount,
            ca,
            username: `${ENVIRONMENT}/database/username`,
            password: `${ENVIRONMENT}/database/password`,
          },
          paths: { primary: path },
          config: config ?? {},
        },
        machines.filter((machine) => hosts.includes(machine.name)),
      ),
    ),
  );
  const stack = await createStack({
    dir: join(dir, "stack"),
    stack: ENVIRONMENT,
    env: {
      ...tools.env,
      ...environmentOf(postgres, pipeline),
      ...store.env,
      ...(ca === undefined ? {} : { VAULT_CACERT: ca }),
    },
    config: {
      environment: ENVIRONMENT,
      store: store.config,
      hosts: Object.fromEntries(machines.map(({ name, config }) => [name, config])),
      services: Object.fromEntries(services.map(({ name, config }) => [name, config])),
      secrets: [
        {
          kind: "postgres-password",
          name: database.secretName,
          database: { host: postgres.host, port: postgres.port, name: database.name, sslmode: "disable" },
          role: database.role,
          restart: services.map(({ name }) => name),
        },
      ],
      // Without a broker there is no clock of the market.
      preflight: { allowOpenMarket: true },
      lab: { clock: LAB_START.toISOString() },
    },
    secrets: { sshPrivateKey: keys.private, adopted: JSON.stringify({ [database.secretName]: adopted }) },
  });
  await poll(async () => (await Promise.all(services.map((service) => service.healthy()))).every(Boolean), {
    what: "every service is healthy",
    limitMs: 120_000,
  });
  return { dir, docker, postgres, vault, machines, services, stack };
}
