import { randomBytes } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { withSession } from "../../clients/postgres";
import { scramVerifier } from "../../core/scram";
import { PollAbort, poll } from "./poll";
import { onFreePort } from "./ports";
import { postgresHome, reachableHome, serverAccount } from "./postgres-binaries";
import { INITIAL_PASSWORD, makeData } from "./postgres-data";
import { logTail, type ManagedProcess, startProcess } from "./processes";
import { randomSecret, type SecretGenerator } from "./secrets";

/** What {@link startPostgres} takes. */
export interface PostgresOptions {
  /** Folder of the lab; the server puts its files below it and opens it (mode 711) for its own account. */
  dir: string;
  /** Database made at the start; "trader" by default. */
  database?: string;
  /** Folder with another PostgreSQL's bin, such as `/usr/lib/postgresql/15`; the npm package's by default. */
  home?: string;
  /** Settings beyond the lab's own, such as `{ log_connections: "off" }`. */
  settings?: Record<string, string>;
  /** Makes the administrator's password. */
  secret?: SecretGenerator;
}

/** A PostgreSQL server on loopback that asks for SCRAM passwords and logs every statement. */
export interface Postgres {
  readonly host: string;
  readonly port: number;
  readonly adminUser: string;
  readonly adminPassword: string;
  readonly database: string;
  /** Everything the server logs, with `log_statement = all`. */
  readonly logFile: string;
  /** Runs SQL as the administrator, in `database` by default. */
  query(sql: string, values?: readonly unknown[], database?: string): Promise<pg.QueryResult>;
  /** A session for `use`, closed afterwards: of the administrator in `database`, or as `login` says. Throws the driver's errors. */
  session<T>(use: (client: pg.Client) => Promise<T>, login?: pg.ClientConfig): Promise<T>;
  /** Stops and starts the server on the same port; its sessions are cut. */
  restart(): Promise<void>;
  /** Stops the server and removes its files. */
  stop(): Promise<void>;
}

const HOST = "127.0.0.1";

// It is thrown away after use, so nothing needs to survive a crash of the machine.
const SETTINGS: Record<string, string> = {
  listen_addresses: HOST,
  unix_socket_directories: "",
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  max_connections: "200",
  shared_buffers: "32MB",
  jit: "off",
  log_statement: "all",
  log_connections: "all",
  log_timezone: "UTC",
  log_line_prefix: "%m [%p] %q%u@%d ",
  password_encryption: "scram-sha-256",
};

/** Starts PostgreSQL from the npm package on a free port (about a second). Throws with the end of its log if it fails. */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const database = options.database ?? "trader";
  const adminPassword = (options.secret ?? randomSecret)("postgres-admin");
  const account = await serverAccount();
  const home = await reachableHome(options.home ?? (await postgresHome()), account, options.dir);
  const data = await makeData(home, account, options.dir);
  const logFile = join(options.dir, "postgres.log");
  let port = 0;
  let password = INITIAL_PASSWORD;
  const connection = (db: string) => ({ host: HOST, port, user: "postgres", password, database: db });
  const session: Postgres["session"] = (use, login = {}) => withSession({ ...connection(database), ...login }, use);
  const query: Postgres["query"] = (sql, values, db = database) =>
    session((client) => client.query(sql, values ? [...values] : undefined), { database: db });
  const start = async (): Promise<ManagedProcess> => {
    const server = await startProcess({
      command: join(home, "bin/postgres"),
      args: ["-D", data],
      cwd: data,
      logFile,
      signal: "INT",
      ...account,
    });
    await poll(
      async () => {
        const end = server.ended();
        if (end) throw new PollAbort(new Error(`PostgreSQL ended with ${end}:\n${logTail(logFile)}`));
        return query("select true", [], "postgres");
      },
      { what: `PostgreSQL on ${HOST}:${port}`, limitMs: 60_000 },
    );
    return server;
  };

  let server = await onFreePort(async (free) => {
    port = free;
    const settings = { ...SETTINGS, ...options.settings, port: String(port) };
    await writeFile(join(data, "postgresql.auto.conf"), asConfig(settings));
    return start();
  });
  const verifier = scramVerifier(adminPassword, randomBytes(16).toString("base64"));
  await query(`alter role postgres password ${pg.escapeLiteral(verifier)}`, [], "postgres");
  password = adminPassword;
  await query(`create database ${pg.escapeIdentifier(database)}`, [], "postgres");
  return {
    host: HOST,
    port,
    adminUser: "postgres",
    adminPassword,
    database,
    logFile,
    query,
    session,
    async restart() {
      await server.stop();
      server = await start();
    },
    async stop() {
      await server.stop();
      await rm(data, { recursive: true, force: true });
    },
  };
}

function asConfig(settings: Record<string, string>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
    .join("");
}
