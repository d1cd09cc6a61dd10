import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { withClient } from "../../../audit/connection";
import type { AuditEntryInput } from "../../../audit/entry";
import { append, migrate } from "../../../audit/log";
import { verifyChain } from "../../../audit/verify";
import { withSession } from "../../../clients/postgres";
import { type Postgres, startPostgres } from "../../../dev/lab/postgres";

/** A server for one test file, and databases of their own for its tests. */
export interface TestServer {
  readonly server: Postgres;
  /** Creates an empty database; the administrator's connection to it. */
  database(): Promise<pg.ClientConfig>;
  stop(): Promise<void>;
}

/** @param home another PostgreSQL's folder, where it is not the npm package's. */
export async function startTestServer(home?: string): Promise<TestServer> {
  const dir = await mkdtemp(join(tmpdir(), "audit-"));
  const settings = { log_statement: "none" };
  const older = home === undefined ? {} : { home, settings: { ...settings, log_connections: "on" } };
  const server = await startPostgres({ dir, settings, ...older });
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
export const sql = (connection: pg.ClientConfig, text: string, values: unknown[] = []): Promise<pg.QueryResult> =>
  withSession(connection, (client) => client.query(text, values));

/** What a superuser can do: runs SQL with every trigger of the log out of force. */
export async function tamper(connection: pg.ClientConfig, text: string): Promise<void> {
  await sql(connection, `BEGIN; SET LOCAL session_replication_role = replica; ${text}; COMMIT`);
}

/** An entry with a value in every field. */
export const entry = (step: string, more: Partial<AuditEntryInput> = {}): AuditEntryInput => ({
  secretName: "database/password",
  rotatedBy: "ci",
  rotationDate: "2026-11-23T09:00:00.123456+02:00",
  status: "SUCCESS",
  stack: "prod",
  environment: "prod",
  action: "ROTATE",
  generation: 3,
  reason: 'due; "quoted" — ünï\n\u{1f511}',
  outputs: { zeta: [1, 2.5, { b: null, a: "x" }], alpha: "secret/prod/database/password" },
  durationSeconds: 12.25,
  stepKey: step,
  ...more,
});

/** The verdict on a log, over a connection of its own. */
export const verify = (connection: pg.ClientConfig) => withClient(connection, (client) => verifyChain(client));

/** A log of its own with so many rows. */
export async function logWith(tests: TestServer, rows: number): Promise<pg.ClientConfig> {
  const database = await tests.database();
  await migrate(database);
  await withClient(database, async (client) => {
    for (let step = 1; step <= rows; step++) await append(client, entry(`step ${step}`));
  });
  return database;
}
