import { execFile } from "node:child_process";
import { appendFile, chown, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type pg from "pg";
import { withSession } from "../../../clients/postgres";
import { messageOf } from "../../../core/errors";
import { PollAbort, poll } from "../../../dev/lab/poll";
import { serverAccount } from "../../../dev/lab/postgres-binaries";
import { logTail, startProcess } from "../../../dev/lab/processes";

/** A PostgreSQL server on loopback and its data folder. */
export interface Node {
  readonly port: number;
  readonly data: string;
  readonly logFile: string;
  /** Runs SQL as the superuser. */
  query(sql: string, values?: readonly unknown[], database?: string): Promise<pg.QueryResult>;
  stop(): Promise<void>;
}

/** What {@link startStandby} takes. */
export interface StandbyOptions {
  /** Folder of the server's binaries. */
  readonly home: string;
  readonly primary: Node;
  readonly port: number;
  /** Made anew. */
  readonly data: string;
  readonly superuser: { readonly user: string; readonly password: string; readonly database: string };
  /** How it reaches the primary, beside host and port. */
  readonly conninfo: string;
}

/** Starts a streaming standby from a base backup of the running primary. @throws Error with the end of its log */
export async function startStandby(options: StandbyOptions): Promise<Node> {
  const { home, primary, port, data, superuser, conninfo } = options;
  const account = await serverAccount();
  await rm(data, { recursive: true, force: true });
  await withSession({ host: "127.0.0.1", port: primary.port, ...superuser }, (client) =>
    backup(client, primary.data, data),
  );
  const from = `host=127.0.0.1 port=${primary.port} ${conninfo}`;
  const settings = `port = '${port}'\nprimary_conninfo = '${from}'\nrecovery_target_timeline = 'latest'\n`;
  await appendFile(join(data, "postgresql.auto.conf"), settings);
  await writeFile(join(data, "standby.signal"), "");
  for (const file of ["standby.signal", "backup_label"]) {
    if (account.uid !== undefined) await chown(join(data, file), account.uid, account.gid ?? account.uid);
  }
  const logFile = `${data}.log`;
  const command = join(home, "bin/postgres");
  // Its own home, or it would look for certificates in that of root.
  const env = { ...process.env, HOME: data };
  const server = await startProcess({
    ...{ command, args: ["-D", data], cwd: data, env, logFile, signal: "INT", ...account },
  });
  const query = queryOn(port, superuser);
  const streams = async () => {
    const end = server.ended();
    if (end) throw new PollAbort(new Error(`the standby ended with ${end}:\n${logTail(logFile)}`));
    const { rows } = await query("select status from pg_stat_wal_receiver");
    return rows[0]?.status === "streaming";
  };
  try {
    await poll(streams, { what: "a standby that streams", limitMs: 60_000, everyMs: 500 });
  } catch (error) {
    await server.stop();
    throw new Error(`${messageOf(error)}; the end of its log:\n${logTail(logFile, 20)}`, { cause: error });
  }
  return { port, data, logFile, query, stop: () => server.stop() };
}

/** SQL as the superuser of a server, in a session of its own. */
export const queryOn =
  (port: number, superuser: StandbyOptions["superuser"]): Node["query"] =>
  (sql, values, database = superuser.database) =>
    withSession({ host: "127.0.0.1", port, ...superuser, database }, (client) =>
      client.query(sql, values ? [...values] : undefined),
    );

/** How often a server has refused a login. */
export async function refusals({ logFile }: Node, user: string): Promise<number> {
  const lines = (await readFile(logFile, "utf8")).split("\n");
  return lines.filter((line) => line.includes(` ${user}@`) && line.includes("FATAL")).length;
}

/** Ends a server as a broken machine does. */
export async function kill({ data }: Node): Promise<void> {
  const pid = Number((await readFile(join(data, "postmaster.pid"), "utf8")).split("\n")[0]);
  process.kill(pid, "SIGKILL");
}

/** With the server's own functions: PostgreSQL's npm package has no pg_basebackup. The copy keeps owners and modes. */
async function backup(client: pg.Client, from: string, to: string): Promise<void> {
  await client.query("select pg_backup_start('standby', true)");
  // A file may go while it is copied, which a backup allows.
  await promisify(execFile)("cp", ["-a", from, to]).catch((error: Error) => {
    if (!/No such file/.test(error.message)) throw error;
  });
  const { rows } = await client.query("select labelfile from pg_backup_stop(false)");
  await rm(join(to, "postmaster.pid"), { force: true });
  await writeFile(join(to, "backup_label"), rows[0].labelfile);
}
