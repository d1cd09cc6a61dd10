import { existsSync } from "node:fs";
import { chmod, copyFile, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { projectRoot } from "../../../cli/toolchain/project";
import { withSession } from "../../../clients/postgres";
import { messageOf } from "../../../core/errors";
import { type OpenBao, startOpenBao } from "../../../dev/lab/openbao";
import { noPgBouncer, type PgBouncer, startPgBouncer } from "../../../dev/lab/pgbouncer";
import { poll } from "../../../dev/lab/poll";
import { type Postgres, startPostgres } from "../../../dev/lab/postgres";
import type { ManagedProcess } from "../../../dev/lab/processes";
import { generateSshKeys } from "../../../dev/lab/ssh-keys";
import { type SshServer, startSshServer } from "../../../dev/lab/ssh-server";
import { type Rehearsal, rehearsal } from "../../../kinds/postgres-password/rehearsal/input";
import { type Rehearsed, rehearsed } from "../../../kinds/postgres-password/rehearsal/result";
import { openBaoPath } from "../lab/tools";
import { HOME, makeRoles, PASSWORD, serverCertificate, startStandby, VERIFIER, writeHba } from "./stage-servers";

const HOSTS = { "trading-1": "127.0.0.2", "trading-2": "127.0.0.3" } as const;
export type HostName = keyof typeof HOSTS;

const CONSOLE = "of-the-console";

/** Why the stage cannot be set up; undefined if it can. */
export const noStage = (): string | undefined =>
  noPgBouncer() ??
  (existsSync(join(HOME, "bin/pg_basebackup")) ? undefined : `${HOME} is missing: apt-get install postgresql-15`) ??
  (process.platform === "linux" ? undefined : "only Linux has 127.0.0.2");

/** Lines of pg_hba.conf, for each address that a reader or a pooler comes from. */
export const HBA = {
  pipeline: "host all all 127.0.0.1/32 scram-sha-256",
  replication: "host replication all 127.0.0.1/32 scram-sha-256",
  "trading-1": "host trader +trader 127.0.0.2/32 scram-sha-256",
  "trading-2": "host trader +trader 127.0.0.3/32 scram-sha-256",
} as const;

/** Real servers: a primary with TLS, its standby, PgBouncer, two hosts with SSH at addresses of their own, a Vault. */
export class Stage {
  /** What the hosts' firewalls let out; changed by faults. */
  readonly blocked = new Set<string>();

  private constructor(
    readonly dir: string,
    readonly primary: Postgres,
    private readonly standby: ManagedProcess,
    readonly standbyPort: number,
    readonly pooler: PgBouncer,
    readonly vault: OpenBao,
    private readonly hosts: Map<HostName, SshServer>,
    private readonly keys: ReturnType<typeof keyPairs>,
  ) {}

  static async open(): Promise<Stage> {
    const dir = await mkdtemp(join(tmpdir(), "rehearsal-"));
    await chmod(dir, 0o755);
    const certificate = await serverCertificate(dir);
    const settings = {
      ...{ listen_addresses: "127.0.0.1,127.0.0.4", log_connections: "on", hot_standby_feedback: "on" },
      ...{ ssl: "on", ssl_cert_file: certificate.cert, ssl_key_file: certificate.key, log_statement: "none" },
    };
    const primary = await startPostgres({ dir, home: HOME, settings });
    await writeHba(primary, Object.values(HBA));
    await makeRoles(primary);
    const [standby, standbyPort] = await startStandby(dir, primary);
    const users = { trader_a: VERIFIER, trader_b: VERIFIER };
    const pooler = await startPgBouncer({
      ...{ dir: join(dir, "pooler"), postgres: primary, database: "trader", users, consolePassword: CONSOLE },
    });
    const vault = await startOpenBao({ dir, bin: await openBaoPath() });
    await vault.putSecret("paper/database/password", { value: PASSWORD });
    const token = await vault.createToken("services", 'path "secret/data/paper/*" { capabilities = ["read"] }');
    const keys = keyPairs();
    const hosts = new Map<HostName, SshServer>();
    const stage = new Stage(dir, primary, standby, standbyPort, pooler, vault, hosts, keys);
    for (const name of Object.keys(HOSTS) as HostName[]) await stage.startHost(name);
    await copyFile(join(projectRoot(), "test/tls/ca.pem"), stage.file("ca.pem"));
    await writeFile(stage.file("token"), token);
    return stage;
  }

  file(name: string): string {
    return join(this.dir, name);
  }

  read = (name: string): Promise<string> => readFile(this.file(name), "utf8");
  remove = (name: string): Promise<void> => rm(this.file(name));

  /** A setting of the primary that a reload applies. */
  async setting(name: string, value: string): Promise<void> {
    await this.sql(`ALTER SYSTEM SET ${name} TO '${value}'`);
    await this.sql("SELECT pg_reload_conf()");
    const shown = async () => (await this.sql(`SHOW ${name}`)).rows[0][name] === value;
    await poll(shown, { what: `${name} = ${value}`, limitMs: 60_000 });
  }

  /** As a superuser, whose password goes into the environment. */
  admin() {
    const { host, port, adminUser: user, adminPassword } = this.primary;
    process.env.PGPASSWORD = adminPassword;
    return { host, port, database: "trader", sslmode: "disable" as const, user };
  }

  sql = (text: string): Promise<pg.QueryResult> => this.primary.query(text);

  async hba(lines: readonly string[]): Promise<void> {
    await writeHba(this.primary, lines);
  }

  /** Of the standby: it has a file of its own. */
  async standbyHba(lines: readonly string[]): Promise<void> {
    await writeHba({ query: (text) => this.onStandby(text) }, lines);
  }

  onStandby(text: string): Promise<pg.QueryResult> {
    const { host, adminUser: user, adminPassword: password } = this.primary;
    const login = { host, port: this.standbyPort, user, password, database: "trader" };
    return withSession(login, (client) => client.query(text));
  }

  /** A command on PgBouncer's console. */
  async console(command: string): Promise<void> {
    const login = { host: "127.0.0.1", port: this.pooler.port, user: this.pooler.admin, password: CONSOLE };
    await withSession({ ...login, database: "pgbouncer" }, (client) => client.query(command));
  }

  async userlist(users: Readonly<Record<string, string>>): Promise<void> {
    const lines = Object.entries({ [this.pooler.admin]: CONSOLE, ...users }).map(
      ([user, text]) => `"${user}" "${text}"\n`,
    );
    // Another file each time: PgBouncer reads none again that has the same inode, size and second of its last change.
    await writeFile(`${this.pooler.userlist}.new`, lines.join(""));
    await rename(`${this.pooler.userlist}.new`, this.pooler.userlist);
    await this.console("RELOAD");
  }

  async startHost(name: HostName, forwards = true): Promise<void> {
    const ssh = await startSshServer({
      ...{ address: HOSTS[name], user: "deploy", cwd: this.dir, env: { PATH: process.env.PATH } },
      ...{ hostPrivateKey: this.keys[name].private, authorizedKey: this.keys.client.public },
      forwards,
      mayReach: (_, port) => !this.blocked.has(`${name} ${port}`),
    });
    this.hosts.set(name, ssh);
  }

  async stopHost(name: HostName): Promise<void> {
    await this.hosts.get(name)?.stop();
  }

  /** The standby has replayed what the primary has. */
  async caughtUp(): Promise<void> {
    const [{ lsn }] = (await this.sql("SELECT pg_current_wal_insert_lsn()::text AS lsn")).rows as [{ lsn: string }];
    const done = async () => {
      const { rows } = await this.onStandby(`SELECT pg_last_wal_replay_lsn() >= '${lsn}'::pg_lsn AS done`);
      return rows[0].done === true;
    };
    await poll(done, { what: "the standby", limitMs: 60_000 });
  }

  /** The platform as a config describes it: two services on each host, and one with ways of its own. */
  input(): Rehearsal {
    const { host, port } = this.primary;
    const at = (name: HostName) => {
      const ssh = this.hosts.get(name) as SshServer;
      return { name, address: HOSTS[name], port: ssh.port, user: "deploy", hostKey: this.keys[name].public.trim() };
    };
    const path = { host, database: "trader", sslmode: "disable", limit: 300 };
    return rehearsal.parse({
      database: { host, port, database: "trader", sslmode: "disable" },
      paths: [
        { ...path, port: this.standbyPort, pooler: false },
        { ...path, port: this.pooler.port, pooler: true },
      ],
      login: { username: "trader_b", password: PASSWORD },
      old: { username: "trader_a", password: PASSWORD },
      owner: "trader",
      strict: true,
      privateKey: this.keys.client.private,
      store: {
        reference: { kind: "vault", address: this.vault.address, mount: "secret", environment: "paper" },
        paths: ["database/password"],
      },
      places: [
        {
          host: at("trading-1"),
          readers: [
            { services: ["signal-service", "orchestrator"] },
            {
              services: ["execution-gateway"],
              paths: ["primary"],
              sslmode: "verify-full",
              sslrootcert: this.file("ca.pem"),
              parameters: { search_path: "desk", statement_timeout: "12s" },
              tokenFile: this.file("token"),
            },
          ],
        },
        { host: at("trading-2"), readers: [{ services: ["signal-service"] }] },
        { readers: [{ services: ["reporting"] }] },
      ],
    });
  }

  /** What the rehearsal answers, or its message. */
  run(input = this.input()): Promise<Rehearsed | string> {
    return rehearsed(input).catch(messageOf);
  }

  async close(): Promise<void> {
    delete process.env.PGPASSWORD;
    await Promise.all([...this.hosts.values()].map((host) => host.stop()));
    await this.vault.stop();
    await this.pooler.stop();
    await this.standby.stop();
    await this.primary.stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}

const keyPairs = () => ({ client: generateSshKeys(), "trading-1": generateSshKeys(), "trading-2": generateSshKeys() });
