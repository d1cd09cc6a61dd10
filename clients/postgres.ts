import type { Duplex } from "node:stream";
import pg from "pg";
import * as z from "zod";
import { codeOf, messageOf, StepError } from "../core/errors";
import { sslmode } from "../core/schema-parts";
import { secret } from "../core/secret-fields";
import { databaseTrust } from "./trust";

/** How to reach a database; without `user`, PGUSER, else `postgres`. */
export const databaseReference = z.object({
  host: z.string(),
  port: z.number(),
  database: z.string(),
  sslmode,
  user: z.string().optional(),
  sslrootcert: z.string().optional(),
  sslcert: z.string().optional(),
  sslkey: z.string().optional(),
  sslpassword: secret(z.string()).optional(),
});

export type DatabaseReference = z.output<typeof databaseReference>;

/** Milliseconds until a server that does not answer counts as unreachable. */
const CONNECT_LIMIT_MS = 10_000;

/** The name of this program's own sessions in `pg_stat_activity`. */
export const APPLICATION = "secret-rotation";

/** That of the probes: they log in as services do, and are no use of a login. */
export const PROBE_APPLICATION = "secret-rotation probe";

/** Sessions of this program, whatever they are for. */
export const OWN_APPLICATIONS: readonly string[] = [APPLICATION, PROBE_APPLICATION];

/** node-postgres' settings for a connection; `otherwise`: how it is tried if that fails, as libpq's `allow` and `prefer` do. */
export interface ConnectionConfig extends pg.ClientConfig {
  readonly otherwise?: pg.ClientConfig["ssl"];
  /** Opens the connection to the server. Default: from this machine. */
  readonly dial?: (() => Promise<Duplex>) | undefined;
  /** Further parameters of the startup message, such as `search_path`. */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
}

/** node-postgres' settings for a database; other certificates come from the environment, as for libpq (PGSSLROOTCERT). */
export function clientConfig(reference: DatabaseReference): ConnectionConfig {
  const { host, port, database, sslmode: mode, user } = reference;
  // libpq ignores sslmode on a Unix socket: a server has no TLS there.
  const isSocket = host.startsWith("/");
  const withTls = isSocket ? false : databaseTrust(mode, environmentOf(reference), reference.sslpassword);
  return {
    host,
    port,
    database,
    ssl: mode === "allow" ? false : withTls,
    ...(mode === "allow" ? { otherwise: withTls } : {}),
    ...(mode === "prefer" ? { otherwise: false } : {}),
    user: user ?? process.env.PGUSER ?? "postgres",
    application_name: APPLICATION,
  };
}

/** What the config says takes precedence over the environment, as a connection parameter does. */
function environmentOf({ sslrootcert, sslcert, sslkey }: DatabaseReference): NodeJS.ProcessEnv {
  const own = { PGSSLROOTCERT: sslrootcert, PGSSLCERT: sslcert, PGSSLKEY: sslkey };
  return { ...process.env, ...Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)) };
}

/**
 * A session of its own for `use`, always closed afterwards.
 *
 * @param explained the error if the server cannot be reached or refuses the login. Default: the driver's error as it is.
 */
export async function withSession<T>(
  { otherwise, ...config }: ConnectionConfig,
  use: (client: pg.Client) => Promise<T>,
  explained: (error: unknown, client: pg.Client) => unknown = (error) => error,
): Promise<T> {
  const first = connected(config, explained);
  const client = await (otherwise === undefined
    ? first
    : first.catch((error: unknown) =>
        connected({ ...config, ssl: otherwise }, explained).catch((second: unknown) => {
          // The refusal of a password says more than that of a way to connect.
          throw isRefusal(causeOf(error)) && !isRefusal(causeOf(second)) ? error : second;
        }),
      ));
  try {
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function connected(
  { dial, parameters, ...config }: Omit<ConnectionConfig, "otherwise">,
  explained: (error: unknown, client: pg.Client) => unknown,
): Promise<pg.Client> {
  const stream = dial && asSocket(await dial());
  const through = stream === undefined ? {} : { stream: () => stream };
  const client = new pg.Client({ connectionTimeoutMillis: CONNECT_LIMIT_MS, ...config, ...through });
  if (parameters !== undefined) {
    // The driver has no option for them.
    const startup = client as unknown as { getStartupConf(): Record<string, unknown> };
    const usual = startup.getStartupConf.bind(client);
    startup.getStartupConf = () => ({ ...usual(), ...parameters });
  }
  // Without a listener a connection that breaks between two queries ends the process.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw explained(error, client);
  }
}

/** A stream that is connected already, as the driver takes a socket. */
function asSocket(stream: Duplex): Duplex {
  const itself = () => stream;
  const connect = () => void process.nextTick(() => stream.emit("connect") && stream.resume());
  return Object.assign(stream, { connect, setNoDelay: itself, setKeepAlive: itself, ref: itself, unref: itself });
}

const causeOf = (error: unknown) => (error instanceof Error && error.cause !== undefined ? error.cause : error);

/** {@link withSession} for a step's database. @throws StepError that names server and user */
export function withDatabase<T>(
  reference: DatabaseReference,
  use: (client: pg.Client) => Promise<T>,
  password?: string,
): Promise<T> {
  const config = clientConfig(reference);
  // A password of `undefined` lets node-postgres take PGPASSWORD or PGPASSFILE.
  return withSession(password === undefined ? config : { ...config, password }, use, (error) => {
    const { host, port, database } = reference;
    const reason = password === undefined ? ownReason(error) : messageOf(error);
    return new StepError(`${config.user} cannot log in to ${database} on ${host}:${port}: ${reason}`, { cause: error });
  });
}

/** The result of a real login: `unknown` if the server could not be reached, or had no connection left. */
export interface LoginAnswer {
  readonly outcome: "works" | "refused" | "unknown";
  /** For people; never the password. */
  readonly evidence: string;
}

/** Tries a login. @param reference the database; its own user is ignored */
export async function tryLogin(
  reference: DatabaseReference,
  { username, password }: { readonly username: string; readonly password: string },
): Promise<LoginAnswer> {
  try {
    await withDatabase({ ...reference, user: username }, (client) => client.query("SELECT 1"), password);
    return { outcome: "works", evidence: `${username} logs in` };
  } catch (error) {
    return { outcome: isRefusal((error as Error).cause) ? "refused" : "unknown", evidence: messageOf(error) };
  }
}

/** Whether the server has another password, or none, for this role. */
export const isRefusal = (error: unknown): boolean => ["28P01", "28000"].includes(codeOf(error) ?? "");

/** Why the run's own login fails. */
function ownReason(error: unknown): string {
  const own = "the run's own login is PGUSER, or `admin` in the config, with PGPASSWORD or PGPASSFILE";
  // node-postgres' message if there is no password at all.
  if (/password must be a string/.test(messageOf(error))) return `it has no password; ${own}`;
  return isRefusal(error) ? `${messageOf(error)}; ${own}` : messageOf(error);
}
