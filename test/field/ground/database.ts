import pg from "pg";
import { environmentOf } from "../../../dev/lab/lab-config";
import { createPipelineLogin } from "../../../dev/lab/pipeline-login";
import { DEFAULT_DATABASES, seedDatabase } from "../../../dev/lab/platform";
import { type Postgres, startPostgres } from "../../../dev/lab/postgres";
import type { SecretBackend } from "../../../dev/lab/secret-backend";
import { randomSecret } from "../../../dev/lab/secrets";
import { type Cluster, startCluster } from "./cluster";
import type { ServicePath } from "./service";

/** PostgreSQL of the distribution. */
export const DEBIAN_POSTGRES = "/usr/lib/postgresql/15";

/** The database of a proving ground, with a role in use. */
export interface GroundDatabase {
  readonly postgres: Postgres;
  readonly cluster?: Cluster;
  /** `secretName`, `role` and the adopted password. */
  readonly secretName: string;
  readonly role: string;
  readonly adopted: string;
  /** The keys `database` and `paths` of the secret. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The pipeline's login. */
  readonly env: Readonly<Record<string, string>>;
  /** The ways of a service to it. */
  readonly paths: Readonly<Record<string, ServicePath>>;
}

/** Either, started below a folder. */
export type GroundServer = { readonly postgres: Postgres } | Cluster;

/** One server without TLS by default; with `home` a cluster of that PostgreSQL. */
export async function startDatabase(dir: string, cluster?: { readonly home: string }) {
  if (cluster !== undefined) return startCluster({ dir, home: cluster.home });
  const postgres = await startPostgres({ dir, home: DEBIAN_POSTGRES, settings: { log_connections: "on" } });
  return { postgres, stop: () => postgres.stop() };
}

/** Makes the role in use with its tables, puts its password into the store, and makes the pipeline's login. */
export async function prepareDatabase(
  server: GroundServer,
  store: SecretBackend,
  environment: string,
): Promise<GroundDatabase> {
  const { postgres } = server;
  const [database] = DEFAULT_DATABASES;
  if (database === undefined) throw new Error("expected a database of the lab, found none");
  // Only what a database needs is used of it.
  const platform = { environment, postgres, store, secret: randomSecret } as Parameters<typeof seedDatabase>[0];
  const adopted = await seedDatabase(platform, database);
  await store.put("database/username", database.role);
  const about = { secretName: database.secretName, role: database.role, adopted, postgres };
  const pipeline = (as: Parameters<typeof createPipelineLogin>[0]) =>
    createPipelineLogin(as, DEFAULT_DATABASES, randomSecret("pipeline"));
  const { host, port } = postgres;
  if (!("ports" in server)) {
    return {
      ...about,
      config: { database: { host, port, name: database.name, sslmode: "disable" } },
      env: environmentOf(postgres, await pipeline(postgres)),
      paths: { primary: { host, port, database: database.name } },
    };
  }
  const { administrator, ports, ca } = server;
  await postgres.query(`grant ${pg.escapeIdentifier(database.role)} to ${administrator.user} with admin option`);
  const query: Postgres["query"] = (sql, values, name = postgres.database) =>
    postgres.session((client) => client.query(sql, values ? [...values] : undefined), {
      ...administrator,
      database: name,
    });
  const login = await pipeline({
    ...postgres,
    adminUser: administrator.user,
    adminPassword: administrator.password,
    query,
  });
  return {
    ...about,
    cluster: server,
    config: {
      database: { host, port, name: database.name, sslmode: "verify-full", sslrootcert: ca },
      paths: [
        "primary",
        `${host}:${ports.haproxy}`,
        { address: `${host}:${ports.pgbouncer}`, pooler: true },
        `${host}:${ports.nodes[1]}`,
      ],
    },
    env: environmentOf(postgres, login),
    paths: server.paths,
  };
}
