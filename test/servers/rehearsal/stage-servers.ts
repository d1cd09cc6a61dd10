import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFile, chmod, chown, copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type pg from "pg";
import { projectRoot } from "../../../cli/toolchain/project";
import { withSession } from "../../../clients/postgres";
import { scramVerifier } from "../../../core/scram";
import { poll } from "../../../dev/lab/poll";
import { freePort } from "../../../dev/lab/ports";
import type { Postgres } from "../../../dev/lab/postgres";
import { serverAccount } from "../../../dev/lab/postgres-binaries";
import { startProcess } from "../../../dev/lab/processes";
import { copyRole } from "../../../kinds/postgres-password/login-copy";

/** Where Debian has PostgreSQL 15. */
export const HOME = "/usr/lib/postgresql/15";

export const PASSWORD = "of-the-rehearsal";
const [SALT] = [randomBytes(16).toString("base64")];
export const VERIFIER = scramVerifier(PASSWORD, SALT ?? "");

/** The login's password as a user list and the server keep it. */
export const verifierOf = (password = PASSWORD): string =>
  password === PASSWORD ? VERIFIER : scramVerifier(password, SALT ?? "");

/** The server's account alone may read its key. */
export async function serverCertificate(dir: string): Promise<{ cert: string; key: string }> {
  const account = await serverAccount();
  const copies = await Promise.all(
    ["server.pem", "server.key"].map(async (name) => {
      const copy = join(dir, name);
      await copyFile(join(projectRoot(), "test/tls", name), copy);
      await chmod(copy, 0o600);
      if (account.uid !== undefined) await chown(copy, account.uid, account.gid ?? account.uid);
      return copy;
    }),
  );
  return { cert: copies[0] ?? "", key: copies[1] ?? "" };
}

export async function writeHba(
  server: { query(text: string): Promise<pg.QueryResult> },
  lines: readonly string[],
): Promise<void> {
  const [{ hba_file: file }] = (await server.query("SHOW hba_file")).rows as [{ hba_file: string }];
  const loaded = async () => String((await server.query("SELECT pg_conf_load_time()::text AS at")).rows[0].at);
  const before = await loaded();
  await writeFile(file, `${lines.join("\n")}\n`);
  await server.query("SELECT pg_reload_conf()");
  await poll(async () => (await loaded()) !== before, { what: "the reload", limitMs: 60_000 });
}

/** The platform's own role with what a role may have, and the two logins as a rotation makes them. */
export async function makeRoles(server: Postgres): Promise<void> {
  await server.query(`
    CREATE ROLE reporting; CREATE ROLE risk;
    CREATE ROLE trader NOLOGIN; GRANT reporting TO trader;
    CREATE SCHEMA desk AUTHORIZATION trader; CREATE TABLE desk.orders (id int); ALTER TABLE desk.orders OWNER TO trader;
    CREATE TABLE public.prices (id int); GRANT SELECT ON public.prices TO reporting;
    CREATE FUNCTION desk.total() RETURNS int LANGUAGE sql AS 'SELECT 1';
    ALTER ROLE trader SET search_path TO desk, public; ALTER ROLE trader SET statement_timeout TO '29s';
    ALTER ROLE trader IN DATABASE trader SET work_mem TO '5MB'; ALTER ROLE trader SET app.tenant TO 'desk 7'`);
  for (const role of ["trader_a", "trader_b"]) {
    await server.query(`CREATE ROLE ${role} LOGIN PASSWORD '${VERIFIER}'; GRANT trader TO ${role};
      ALTER ROLE ${role} SET role TO 'trader'`);
  }
  await server.session(async (client) => {
    await copyRole(client, { owner: "trader", from: "trader", to: "trader_a" });
    await copyRole(client, { owner: "trader", from: "trader_a", to: "trader_b" });
  });
}

export async function startStandby(dir: string, { host, port, adminUser, adminPassword }: Postgres) {
  const account = await serverAccount();
  const data = join(dir, "standby");
  await mkdir(data, { mode: 0o700 });
  if (account.uid !== undefined) await chown(data, account.uid, account.gid ?? account.uid);
  const from = ["-h", host, "-p", String(port), "-U", adminUser, "-D", data, "-R", "--checkpoint=fast"];
  const env = { ...process.env, PGPASSWORD: adminPassword };
  await promisify(execFile)(join(HOME, "bin/pg_basebackup"), from, { ...account, env, cwd: "/" });
  const own = await freePort();
  await appendFile(join(data, "postgresql.auto.conf"), `port = '${own}'\nlisten_addresses = '127.0.0.1'\n`);
  const standby = await startProcess({
    ...{ command: join(HOME, "bin/postgres"), args: ["-D", data], cwd: data, logFile: join(dir, "standby.log") },
    ...{ signal: "INT", ...account },
  });
  const login = { host, port: own, user: adminUser, password: adminPassword, database: "trader" };
  await poll(() => withSession(login, (client) => client.query("SELECT 1")), { what: "the standby", limitMs: 60_000 });
  return [standby, own] as const;
}
