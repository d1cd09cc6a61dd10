import { createReadStream, statSync } from "node:fs";
import { getFileName, getPassword } from "pgpass/lib/helper.js";
import * as z from "zod";
import { messageOf, StepError } from "../core/errors";
import { clientConfig, type DatabaseReference, databaseReference, OWN_APPLICATIONS, withSession } from "./postgres";

/** How to reach a PgBouncer and its admin console. */
export const poolerReference = databaseReference.extend({
  /** The user of the admin console. */
  console: z.string(),
});

export type PoolerReference = z.output<typeof poolerReference>;

/** A client of PgBouncer that is logged in. */
export interface PoolerClient {
  readonly application: string;
  readonly address: string;
}

/** What a PgBouncer holds of one user. */
export interface PoolerUse {
  /** Process ids on the server of the connections that it keeps. */
  readonly servers: readonly number[];
  readonly clients: readonly PoolerClient[];
}

/** The database that the admin console has. */
const CONSOLE = "pgbouncer";

type Row = Readonly<Record<string, string | null>>;
type Ask = (command: string) => Promise<readonly Row[]>;

/** Commands on the admin console. @throws StepError that names the console and its user */
export function withConsole<T>(pooler: PoolerReference, use: (ask: Ask) => Promise<T>): Promise<T> {
  const { host, port, console: user } = pooler;
  const reference: DatabaseReference = { ...pooler, database: CONSOLE, user };
  const config = { ...clientConfig(reference), password: () => passwordOf(reference) };
  const where = `the admin console of PgBouncer on ${host}:${port}`;
  return withSession(
    config,
    async (client) =>
      use(async (command) => {
        try {
          return (await client.query<Row>(command)).rows;
        } catch (error) {
          throw new StepError(`${where} refuses ${command} to ${user}: ${messageOf(error)}`, { cause: error });
        }
      }),
    (error) =>
      new StepError(
        `${user} cannot log in to ${where}: ${messageOf(error)}. Its password comes from PGPASSFILE ` +
          `(${host}:${port}:${CONSOLE}:${user}:...), else PGPASSWORD; expected it among PgBouncer's admin_users`,
        { cause: error },
      ),
  );
}

/** PGPASSWORD is the database administrator's: an entry of its own in PGPASSFILE comes first. */
async function passwordOf(reference: DatabaseReference): Promise<string> {
  const password = (await passwordInFile(reference)) ?? process.env.PGPASSWORD;
  if (password === undefined) throw new StepError("there is no password for it");
  return password;
}

/** As libpq, it does not use a file that others may read. The library itself uses none if PGPASSWORD is set. */
async function passwordInFile({ host, port, database, user = "" }: DatabaseReference): Promise<string | undefined> {
  const file = getFileName();
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined || !found.isFile() || (found.mode & 0o077) !== 0) return undefined;
  return new Promise((resolve) => getPassword({ host, port, database, user }, createReadStream(file), resolve));
}

/** Reads the user list anew. */
export const reload = (pooler: PoolerReference) => withConsole(pooler, (ask) => ask("RELOAD"));

/** Closes each connection to the server once its client lets go of it; the next one is a new login. */
export const reconnect = (pooler: PoolerReference) =>
  withConsole(pooler, (ask) => ask(`RECONNECT ${quotedName(pooler.database)}`));

const quotedName = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** PgBouncer's settings by name. */
export const settingsOf = (pooler: PoolerReference): Promise<ReadonlyMap<string, string>> =>
  withConsole(pooler, async (ask) => {
    const rows = await ask("SHOW CONFIG");
    return new Map(rows.map(({ key, value }) => [String(key), String(value ?? "")]));
  });

/** Who uses a login over this PgBouncer; this program's own connections do not count. */
export function useOf(pooler: PoolerReference, user: string): Promise<PoolerUse> {
  return withConsole(pooler, async (ask) => {
    const [clients, servers] = [await ask("SHOW CLIENTS"), await ask("SHOW SERVERS")];
    return {
      servers: servers.filter((row) => row.user === user).map((row) => Number(row.remote_pid)),
      clients: clients
        .filter((row) => row.user === user && !OWN_APPLICATIONS.includes(row.application_name ?? ""))
        .map((row) => ({ application: row.application_name ?? "", address: row.addr ?? "" })),
    };
  });
}
