import pg from "pg";
import * as z from "zod";
import { messageOf, StepError } from "../core/errors";
import { databaseTrust } from "./trust";

/** How to reach a database; without `user`, PGUSER, else `postgres`. */
export const databaseReference = z.object({
  host: z.string(),
  port: z.number(),
  database: z.string(),
  sslmode: z.enum(["disable", "require", "verify-ca", "verify-full"]),
  user: z.string().optional(),
});

export type DatabaseReference = z.output<typeof databaseReference>;

/** Seconds until a server that does not answer counts as unreachable. */
const CONNECT_TIMEOUT = 10;

/** What this program's own sessions are called in `pg_stat_activity`. */
export const APPLICATION = "secret-rotation";

/** node-postgres' settings for a database; certificates come from the environment, as for libpq (PGSSLROOTCERT). */
export function clientConfig({ host, port, database, sslmode, user }: DatabaseReference): pg.ClientConfig {
  return {
    host,
    port,
    database,
    ssl: databaseTrust(sslmode),
    user: user ?? process.env.PGUSER ?? "postgres",
    connectionTimeoutMillis: CONNECT_TIMEOUT * 1000,
    application_name: APPLICATION,
  };
}

/** A new connection for `use`, closed afterwards. @throws StepError that says where and as whom. */
export async function withDatabase<T>(
  reference: DatabaseReference,
  use: (client: pg.Client) => Promise<T>,
  password?: string,
): Promise<T> {
  const config = clientConfig(reference);
  // A password of `undefined` lets node-postgres take PGPASSWORD or PGPASSFILE.
  const client = new pg.Client(password === undefined ? config : { ...config, password });
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    const { host, port, database } = reference;
    const reason = password === undefined ? ownReason(error) : messageOf(error);
    throw new StepError(`${config.user} cannot log in to ${database} on ${host}:${port}: ${reason}`, { cause: error });
  }
  try {
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Whether the server knows another password, or none, for this role. */
export const isRefusedLogin = (error: unknown) => REFUSED.includes(codeOf((error as Error).cause));

const REFUSED = ["28P01", "28000"];

const codeOf = (error: unknown) => String((error as { code?: unknown } | undefined)?.code);

/** Why the run's own login fails. */
function ownReason(error: unknown): string {
  const own = "the run's own login is PGUSER, or `admin` in the config, with PGPASSWORD or PGPASSFILE";
  // node-postgres' words for a password that is not there at all.
  if (/password must be a string/.test(messageOf(error))) return `it has no password; ${own}`;
  return REFUSED.includes(codeOf(error)) ? `${messageOf(error)}; ${own}` : messageOf(error);
}
