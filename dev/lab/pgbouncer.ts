import { existsSync } from "node:fs";
import { chmod, chown, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withSession } from "../../clients/postgres";
import { PollAbort, poll } from "./poll";
import { onFreePort } from "./ports";
import type { Postgres } from "./postgres";
import { serverAccount } from "./postgres-binaries";
import { logTail, startProcess } from "./processes";

/** A PgBouncer in front of the lab's PostgreSQL, on loopback. */
export interface PgBouncer {
  readonly port: number;
  readonly userlist: string;
  /** The user of its admin console. */
  readonly admin: string;
  stop(): Promise<void>;
}

export interface PgBouncerOptions {
  /** Its files are below it. */
  readonly dir: string;
  readonly postgres: Postgres;
  readonly database: string;
  /** The lines of its user list beside that of the console's user. */
  readonly users: Readonly<Record<string, string>>;
  readonly consolePassword: string;
  /** Further settings, such as `auth_query`. */
  readonly settings?: Readonly<Record<string, string>>;
}

const BINARY = "/usr/sbin/pgbouncer";

/** Why the lab can have no PgBouncer; undefined if it can. */
export const noPgBouncer = (): string | undefined =>
  existsSync(BINARY) ? undefined : `${BINARY} is missing: apt-get install pgbouncer`;

/** Starts it on a free port. @throws Error with the end of its log */
export async function startPgBouncer(options: PgBouncerOptions): Promise<PgBouncer> {
  const { dir, postgres, database, users, consolePassword, settings = {} } = options;
  const admin = "pooler_admin";
  const account = await serverAccount();
  await mkdir(dir, { recursive: true });
  await chmod(dir, 0o711);
  const [file, userlist, logFile] = ["pgbouncer.ini", "userlist.txt", "pgbouncer.log"].map((name) => join(dir, name));
  if (file === undefined || userlist === undefined || logFile === undefined) throw new Error("three names");
  const lines = Object.entries({ [admin]: consolePassword, ...users }).map(([user, text]) => `"${user}" "${text}"\n`);
  await writeFile(userlist, `; kept by hand\n${lines.join("")}`, { mode: 0o640 });
  if (account.uid !== undefined) await chown(userlist, account.uid, account.gid ?? account.uid);
  let port = 0;
  const server = await onFreePort(async (free) => {
    port = free;
    const all = {
      ...{ listen_addr: "127.0.0.1", listen_port: String(port), unix_socket_dir: "" },
      ...{ auth_type: "scram-sha-256", auth_file: userlist, admin_users: admin, pool_mode: "transaction" },
      ...{ ignore_startup_parameters: "extra_float_digits", server_login_retry: "1" },
      ...settings,
    };
    const text = Object.entries(all).map(([key, value]) => `${key} = ${value}\n`);
    const target = `${database} = host=${postgres.host} port=${postgres.port} dbname=${database}\n`;
    await writeFile(file, `[databases]\n${target}\n[pgbouncer]\n${text.join("")}`, { mode: 0o644 });
    return startProcess({ command: BINARY, args: [file], cwd: "/", logFile, signal: "INT", ...account });
  });
  const login = { host: "127.0.0.1", port, user: admin, password: consolePassword, database: "pgbouncer" };
  await poll(
    async () => {
      const end = server.ended();
      if (end) throw new PollAbort(new Error(`PgBouncer ended with ${end}:\n${logTail(logFile)}`));
      return withSession(login, (client) => client.query("SHOW VERSION"));
    },
    { what: `PgBouncer on ${port} (its log: ${logFile})`, limitMs: 20_000 },
  );
  return { port, userlist, admin, stop: () => server.stop() };
}
