import { readFileSync } from "node:fs";
import type { Client, ClientConfig } from "pg";
import { number, text } from "./coerce";
import { isObject, type Properties } from "./values";

/** The administrator's connection, from the provider's config, completed by libpq's variables. */
export interface PgConnection {
  /** Whether the administrator may do everything; without it, some statements are left out or need a membership first. */
  superuser: boolean;
  /** Runs statements in one transaction: all of them count, or none. `database` is the provider's by default. */
  transaction<T>(work: (client: Client) => Promise<T>, database?: string): Promise<T>;
}

/** Reads the config; connects only when it is used. */
export function pgConnection(config: Properties, environment: NodeJS.ProcessEnv): PgConnection {
  let queue: Promise<unknown> = Promise.resolve();
  return {
    superuser: String(config.superuser ?? "true") !== "false",
    transaction: (work, database) => {
      // One at a time: concurrent changes of roles fail with "tuple concurrently updated".
      const next = queue.then(() =>
        inTransaction(clientConfig(config, environment, database), work, waysOf(config, environment)),
      );
      queue = next.catch(() => undefined);
      return next;
    },
  };
}

async function inTransaction<T>(config: ClientConfig, work: (client: Client) => Promise<T>, ways: Way[]): Promise<T> {
  const client = await connected(config, ways);
  try {
    await client.query("BEGIN");
    const result = await work(client);
    await client.query("COMMIT");
    return result;
  } finally {
    // An unfinished transaction is rolled back with its session.
    await client.end().catch(() => undefined);
  }
}

type Way = ClientConfig["ssl"];

/** The first way that leads to the server: `allow` and `prefer` have two. */
async function connected(config: ClientConfig, [ssl, ...others]: Way[]): Promise<Client> {
  const { default: pg } = await import("pg");
  const client = new pg.Client({ ...config, ssl });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    if (others.length > 0) return connected(config, others);
    throw new Error(`error connecting to PostgreSQL server ${config.host}: ${message(error)}`);
  }
}

/** How the server is reached, in this order. */
const waysOf = (config: Properties, env: NodeJS.ProcessEnv): Way[] =>
  tls(
    text(config.sslmode) ?? env.PGSSLMODE ?? "require",
    text(config.sslrootcert) ?? env.PGSSLROOTCERT,
    clientOf(config),
  );

function clientConfig(config: Properties, env: NodeJS.ProcessEnv, database: string | undefined): ClientConfig {
  const password = text(config.password) ?? env.PGPASSWORD;
  return {
    host: text(config.host)?.replace(/^\[(.*)\]$/, "$1") ?? env.PGHOST ?? "localhost",
    port: number(config.port) ?? number(env.PGPORT) ?? 5432,
    user: text(config.username) ?? env.PGUSER ?? "postgres",
    // Without one, node-pg looks into the password file that PGPASSFILE names, as libpq does.
    ...(password === undefined ? {} : { password }),
    database: database ?? text(config.database) ?? env.PGDATABASE ?? "postgres",
    connectionTimeoutMillis: (number(config.connectTimeout) ?? number(env.PGCONNECT_TIMEOUT) ?? 180) * 1000,
    application_name: "pulumi-resource-postgresql (offline)",
  };
}

/** The client's certificate and key, by their files. */
function clientOf({ clientcert }: Properties): { cert?: string; key?: string } {
  const files = typeof clientcert === "string" ? (JSON.parse(clientcert) as Properties) : clientcert;
  if (!isObject(files)) return {};
  const [cert, key] = [text(files.cert), text(files.key)];
  return cert === undefined || key === undefined
    ? {}
    : { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
}

function tls(mode: string, rootCertificate: string | undefined, client: { cert?: string; key?: string }): Way[] {
  const unchecked = { ...client, rejectUnauthorized: false };
  if (mode === "disable") return [false];
  if (mode === "allow") return [false, unchecked];
  if (mode === "prefer") return [unchecked, false];
  const ca =
    rootCertificate === undefined || rootCertificate === "system" ? undefined : readFileSync(rootCertificate, "utf8");
  if (mode === "verify-full") return [{ ...client, rejectUnauthorized: true, ca }];
  if (mode === "verify-ca") return [{ ...client, rejectUnauthorized: true, ca, checkServerIdentity: () => undefined }];
  return [{ ...unchecked, ca }];
}

/** A failure in the form of the real plugin, after `prefix`. The server's message carries no password. */
export async function attempt<T>(prefix: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new Error(`1 error occurred:\n\t* ${prefix}${message(error)}\n\n`);
  }
}

/** Adds what one statement was for. */
export async function doing<T>(what: string, statement: Promise<T>): Promise<T> {
  try {
    return await statement;
  } catch (error) {
    throw new Error(`${what}: ${message(error)}`);
  }
}

function message(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as Error & { code?: string };
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) ? `pq: ${error.message} (${code})` : error.message;
}
