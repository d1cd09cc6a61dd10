import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type Postgres, startPostgres } from "../../lab/postgres";

/** A server for one test file, and databases of their own for its tests. */
export interface TestServer {
  readonly server: Postgres;
  /** Creates an empty database; the administrator's connection to it. */
  database(): Promise<pg.ClientConfig>;
  stop(): Promise<void>;
}

export async function startTestServer(): Promise<TestServer> {
  const dir = await mkdtemp(join(tmpdir(), "audit-"));
  const server = await startPostgres({ dir, settings: { log_statement: "none" } });
  return {
    server,
    async database() {
      const name = `log_${randomUUID().replaceAll("-", "")}`;
      await server.query(`CREATE DATABASE ${name}`, [], "postgres");
      const { host, port, adminUser: user, adminPassword: password } = server;
      return { host, port, user, password, database: name };
    },
    async stop() {
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Runs SQL in a session of its own. */
export async function sql(connection: pg.ClientConfig, text: string, values: unknown[] = []): Promise<pg.QueryResult> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    return await client.query(text, values);
  } finally {
    await client.end();
  }
}

/** What a superuser can do: runs SQL with every trigger of the log out of force. */
export async function tamper(connection: pg.ClientConfig, text: string): Promise<void> {
  await sql(connection, `BEGIN; SET LOCAL session_replication_role = replica; ${text}; COMMIT`);
}
