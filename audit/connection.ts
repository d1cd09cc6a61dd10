import type pg from "pg";
import { withSession } from "../clients/postgres";
import { messageOf } from "../core/errors";
import { quoted } from "../core/shell-word";
import { AuditLogError } from "./errors";

/**
 * Connects, does the work and always closes the connection.
 * What `connection` leaves out comes from the PG* variables and the password file, as everywhere.
 * @throws AuditLogError if the database cannot be reached within 10 s (or `connectionTimeoutMillis`) or refuses the login.
 */
export function withClient<Result>(
  connection: pg.ClientConfig,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  return withSession(connection, work, unreachable);
}

function unreachable(error: unknown, client: pg.Client): AuditLogError {
  const where = `${client.host}:${client.port}, database ${client.database}, user ${client.user}`;
  const words = ["psql", "-h", client.host, "-p", String(client.port), "-U", client.user ?? "", client.database ?? ""];
  const psql = words.map(quoted).join(" ");
  return new AuditLogError(
    `The audit log's database did not accept a connection (${where}): ${messageOf(error)}. Check the server and the login with \`${psql}\``,
    { cause: error },
  );
}
