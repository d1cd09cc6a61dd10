import pg from "pg";
import { codeOf } from "../core/errors";
import { AuditLogError } from "./errors";

const CONNECT_LIMIT_MS = 10_000;

/**
 * Connects, does the work and closes the connection, whatever happens.
 * What `connection` leaves out comes from the PG* variables and the password file, as everywhere.
 * @throws AuditLogError when the database cannot be reached within 10 s (or `connectionTimeoutMillis`) or refuses the login.
 */
export async function withClient<Result>(
  connection: pg.ClientConfig,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionTimeoutMillis: CONNECT_LIMIT_MS, ...connection });
  // Without a listener a connection that breaks between two queries ends the process.
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    throw unreachable(client, error);
  }
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function unreachable(client: pg.Client, error: unknown): AuditLogError {
  const where = `${client.host}:${client.port}, database ${client.database}, user ${client.user}`;
  const reason = error instanceof Error ? error.message || codeOf(error) : String(error);
  return new AuditLogError(
    `The audit log's database did not accept a connection (${where}): ${reason}. Check the server and the login with: psql -h ${client.host} -p ${client.port} -U ${client.user} ${client.database}`,
    { cause: error },
  );
}
