import { chmod, chown, copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { projectRoot } from "../../../cli/toolchain/project";
import { withSession } from "../../../clients/postgres";
import { noPgBouncer, startPgBouncer } from "../../../dev/lab/pgbouncer";
import { poll } from "../../../dev/lab/poll";
import { freePort } from "../../../dev/lab/ports";
import { type Postgres, startPostgres } from "../../../dev/lab/postgres";
import { reachableHome, serverAccount } from "../../../dev/lab/postgres-binaries";
import { randomSecret } from "../../../dev/lab/secrets";
import { startHaproxy, withoutHaproxy } from "./haproxy";
import { kill, type Node, queryOn, startStandby } from "./node";
import type { ServicePath } from "./service";

/** A primary with a streaming standby, HAProxy and PgBouncer in front of them, all with TLS by a private CA. */
export interface Cluster {
  /** The server that is the primary at the start. */
  readonly postgres: Postgres;
  /** The administrator of a managed server: no superuser. */
  readonly administrator: { readonly user: string; readonly password: string };
  /** The private CA's file. */
  readonly ca: string;
  /** The two servers, the primary of the start first; and what leads to the primary. */
  readonly ports: { readonly nodes: readonly [number, number]; readonly haproxy: number; readonly pgbouncer: number };
  /** The ways of a service to its database. */
  readonly paths: Readonly<Record<string, ServicePath>>;
  /** The server that is the primary now. */
  primary(): Node;
  standby(): Node;
  /** Kills the primary, promotes the standby, and resolves when HAProxy and PgBouncer lead to it. */
  failOver(): Promise<Outage>;
  /** From now on the standby gets nothing, as if the network between the two were broken. */
  detach(): Promise<void>;
  /** Builds the killed server anew, as a standby of the present primary. */
  rejoin(): Promise<void>;
  stop(): Promise<void>;
}

/** From when until when no primary accepted logins, in seconds since 1970. */
export interface Outage {
  readonly from: number;
  readonly until: number;
}

/** Why no cluster can be had; undefined if one can. */
export const withoutCluster = (): string | undefined => withoutHaproxy() ?? noPgBouncer();

const HOST = "127.0.0.1";
const ADMINISTRATOR = "managed_admin";
const [REPLICATOR, CHECK, LOOKUP] = ["replicator", "haproxy_check", "pooler_lookup"] as const;

/** Starts it below `dir`, with the PostgreSQL of `home`. */
export async function startCluster({ dir, home }: { dir: string; home: string }): Promise<Cluster> {
  const cleanups: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await Promise.allSettled([cleanup()]);
  };
  try {
    return { ...(await assemble(dir, home, (cleanup) => cleanups.push(cleanup))), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function assemble(
  dir: string,
  from: string,
  later: (cleanup: () => Promise<unknown>) => void,
): Promise<Omit<Cluster, "stop">> {
  const tls = await certificates(dir);
  const home = await reachableHome(from, await serverAccount(), dir);
  const postgres = await startPostgres({
    dir,
    home,
    settings: {
      ...{ ssl: "on", ssl_cert_file: tls.certificate, ssl_key_file: tls.key, log_connections: "on" },
      ...{ fsync: "on", synchronous_commit: "on", full_page_writes: "on", wal_keep_size: "256MB" },
    },
  });
  later(() => postgres.stop());
  const data: string = (await postgres.query("show data_directory")).rows[0].data_directory;
  const password = Object.fromEntries(
    [REPLICATOR, CHECK, LOOKUP, ADMINISTRATOR].map((name) => [name, randomSecret(name)]),
  ) as Record<string, string>;
  await writeFile(join(data, "pg_hba.conf"), HBA);
  await postgres.query(ROLES(postgres.database, password));

  const superuser = { user: postgres.adminUser, password: postgres.adminPassword, database: postgres.database };
  const conninfo = `user=${REPLICATOR} password=${password[REPLICATOR]} sslmode=verify-full sslrootcert=${tls.ca}`;
  const follow = async (leader: Node, port: number, folder: string) => {
    const node = await startStandby({ home, primary: leader, port, data: folder, superuser, conninfo });
    later(() => node.stop());
    return node;
  };
  const { port, logFile } = postgres;
  const first: Node = { port, data, logFile, query: queryOn(port, superuser), stop: () => postgres.stop() };
  let [primary, standby] = [first, await follow(first, await freePort(), join(dir, "standby"))];
  const nodes = [primary.port, standby.port] as const;

  const check = { user: CHECK, password: password[CHECK] ?? "", database: postgres.database };
  const haproxy = await startHaproxy({ dir: join(dir, "haproxy"), ports: nodes, login: { ...check, ca: tls.ca } });
  later(() => haproxy.stop());
  const pgbouncer = await startPgBouncer({
    dir: join(dir, "pgbouncer"),
    postgres: { ...postgres, port: haproxy.port },
    database: postgres.database,
    users: { [LOOKUP]: password[LOOKUP] ?? "" },
    consolePassword: randomSecret("console"),
    settings: {
      ...{ auth_user: LOOKUP, auth_query: "SELECT usename, passwd FROM public.pooler_user($1)" },
      ...{ client_tls_sslmode: "prefer", client_tls_cert_file: tls.certificate, client_tls_key_file: tls.key },
      ...{ server_tls_sslmode: "verify-full", server_tls_ca_file: tls.ca },
    },
  });
  later(() => pgbouncer.stop());
  const writable = async () => {
    for (const entry of [haproxy, pgbouncer]) await leadsToPrimary(entry.port, check, tls.ca);
  };
  await writable();
  const through = (entry: number | string, more = {}) => ({
    ...{ host: HOST, port: entry, database: postgres.database },
    options: { sslmode: "verify-full", ...more },
  });
  const either = (attributes: string) => ({
    ...through(nodes.join(","), { target_session_attrs: attributes }),
    host: nodes.map(() => HOST).join(","),
  });
  return {
    postgres,
    administrator: { user: ADMINISTRATOR, password: password[ADMINISTRATOR] ?? "" },
    ca: tls.ca,
    ports: { nodes, haproxy: haproxy.port, pgbouncer: pgbouncer.port },
    paths: {
      // Both servers, as libpq takes them: the one that accepts writes, and the standby as long as there is one.
      primary: either("read-write"),
      haproxy: through(haproxy.port),
      pgbouncer: through(pgbouncer.port),
      replica: either("prefer-standby"),
    },
    primary: () => primary,
    standby: () => standby,
    failOver: async () => {
      const from = Date.now() / 1000;
      await kill(primary);
      await standby.query("select pg_promote(true, 60)");
      [primary, standby] = [standby, primary];
      await writable();
      return { from, until: Date.now() / 1000 };
    },
    detach: async () => {
      await standby.query("alter system set primary_conninfo = ''");
      await standby.query("select pg_reload_conf()");
      const attached = async () => (await primary.query("select from pg_stat_replication")).rows.length;
      await poll(async () => (await attached()) === 0, { what: "the standby detached", limitMs: 60_000 });
    },
    rejoin: async () => {
      standby = await follow(primary, standby.port, `${standby.data}-again`);
    },
  };
}

/** The superuser and the administrator are of the provider's own network; all others need TLS, as on a managed server. */
const HBA = [
  `host all postgres,${ADMINISTRATOR} ${HOST}/32 scram-sha-256`,
  `hostssl replication ${REPLICATOR} ${HOST}/32 scram-sha-256`,
  `hostssl all all ${HOST}/32 scram-sha-256`,
  "",
].join("\n");

/**
 * What a provider of managed servers makes: an administrator with CREATEROLE who may pass on what reads statistics, and the
 * function that its pooler asks, since nobody but a superuser may read pg_shadow.
 */
function ROLES(database: string, password: Readonly<Record<string, string>>): string {
  const attributes: Record<string, string> = { [REPLICATOR]: "replication", [ADMINISTRATOR]: "createrole createdb" };
  const roles = Object.entries(password).map(
    ([name, text]) => `create role ${name} login ${attributes[name] ?? ""} password ${pg.escapeLiteral(text)};`,
  );
  return `${roles.join("\n")}
    grant pg_monitor, pg_read_all_stats, pg_signal_backend to ${ADMINISTRATOR} with admin option;
    alter database ${pg.escapeIdentifier(database)} owner to ${ADMINISTRATOR};
    create function public.pooler_user(name text) returns table (usename name, passwd text) security definer
      language sql as 'select usename, passwd from pg_catalog.pg_shadow where usename = name and not usesuper';
    revoke all on function public.pooler_user from public;
    grant execute on function public.pooler_user to ${LOOKUP};
    select pg_reload_conf();`;
}

/** Copies of the certificates that the servers' account may read. */
async function certificates(dir: string) {
  const account = await serverAccount();
  const copy = async (name: string, mode: number) => {
    const file = join(dir, name);
    await copyFile(join(projectRoot(), "test/tls", name), file);
    await chmod(file, mode);
    if (account.uid !== undefined) await chown(file, account.uid, account.gid ?? account.uid);
    return file;
  };
  const [ca, certificate] = [await copy("ca.pem", 0o644), await copy("server.pem", 0o644)];
  return { ca, certificate, key: await copy("server.key", 0o600) };
}

/** HAProxy takes turns until its checks have seen which server is no primary. */
async function leadsToPrimary(port: number, login: pg.ClientConfig, ca: string): Promise<void> {
  const config = { ...login, host: HOST, port, ssl: { ca: await readFile(ca, "utf8") } };
  const isPrimary = async () =>
    withSession(config, async (client) => {
      const { rows } = await client.query("select pg_is_in_recovery() as standby");
      return rows[0].standby === false;
    });
  const twice = async () => (await isPrimary()) && (await isPrimary());
  await poll(twice, { what: `the primary over ${HOST}:${port}`, limitMs: 60_000, everyMs: 100 });
}
