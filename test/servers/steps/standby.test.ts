import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, chmod, chown, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { migrate } from "../../../audit/migrate";
import { projectRoot } from "../../../cli/toolchain/project";
import { withSession } from "../../../clients/postgres";
import type { PostgresPasswordConfig } from "../../../config";
import { nextState } from "../../../core/next-state";
import { poll } from "../../../dev/lab/poll";
import { freePort } from "../../../dev/lab/ports";
import { type Postgres, startPostgres } from "../../../dev/lab/postgres";
import { serverAccount } from "../../../dev/lab/postgres-binaries";
import { type ManagedProcess, startProcess } from "../../../dev/lab/processes";
import { watchLogin } from "../../../kinds/postgres-password/watch-login";
import { at, inputs, rotate } from "../../unit/core/update-inputs";

const HOME = "/usr/lib/postgresql/15";
const missing = !existsSync(join(HOME, "bin/pg_basebackup"));
if (missing)
  console.warn(`skipped: a streaming standby; ${HOME}/bin/pg_basebackup is missing: apt-get install postgresql-15`);

describe.skipIf(missing)("a login that a standby replays later", () => {
  let dir: string;
  let primary: Postgres;
  let standby: ManagedProcess;
  let port: number;
  let logFile: string;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "standby-"));
    logFile = join(dir, "standby.log");
    const account = await serverAccount();
    primary = await startPostgres({ dir, home: HOME, settings: { log_connections: "on", fsync: "on" } });
    const hba = (await primary.query("SHOW hba_file")).rows[0].hba_file;
    await appendFile(hba, "host replication all 127.0.0.1/32 scram-sha-256\n");
    await primary.query("SELECT pg_reload_conf()");
    const data = join(dir, "standby");
    await mkdir(data, { mode: 0o700 });
    await chmod(data, 0o700);
    if (account.uid !== undefined) await chown(data, account.uid, account.gid ?? account.uid);
    const { host, adminUser, adminPassword } = primary;
    const from = ["-h", host, "-p", String(primary.port), "-U", adminUser, "-D", data, "-R", "--checkpoint=fast"];
    const env = { ...process.env, PGPASSWORD: adminPassword };
    await promisify(execFile)(join(HOME, "bin/pg_basebackup"), from, { ...account, env, cwd: "/" });
    port = await freePort();
    await appendFile(join(data, "postgresql.auto.conf"), `port = '${port}'\n`);
    const args = ["-D", data];
    standby = await startProcess({
      command: join(HOME, "bin/postgres"),
      args,
      cwd: data,
      logFile,
      signal: "INT",
      ...account,
    });
    const login = { host, port, user: adminUser, password: adminPassword, database: "trader" };
    await poll(() => withSession(login, (client) => client.query("SELECT 1")), {
      what: "the standby",
      limitMs: 60_000,
    });
  });

  afterAll(async () => {
    await standby?.stop();
    await primary?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  function verify(limit: number, more = {}) {
    const database = { host: primary.host, port: primary.port, database: "trader", sslmode: "disable" };
    const paths = [{ ...database, port, limit, pooler: false }];
    const step = join(projectRoot(), "dist/steps/verify-login.mjs");
    const input = JSON.stringify({ database, username: "trader_a", password: "of-the-test", paths, ...more });
    const env = { PGUSER: primary.adminUser, PGPASSWORD: primary.adminPassword };
    return execa(process.execPath, [step], { input, env, reject: false });
  }

  const onStandby = (sql: string) => {
    const { host, adminUser: user, adminPassword: password } = primary;
    return withSession({ host, port, user, password, database: "trader" }, (client) => client.query(sql));
  };
  const refusals = async () =>
    (await readFile(logFile, "utf8")).split("\n").filter((line) => /FATAL/.test(line)).length;

  it("is waited for, with the time that it took; without enough time the path is named", async () => {
    await onStandby("SELECT pg_wal_replay_pause()");
    await primary.query("CREATE ROLE trader_a LOGIN PASSWORD 'of-the-test'");
    const early = await verify(200);
    expect(early.exitCode).toBe(1);
    expect(early.stderr).toMatch(
      /over the path 127\.0\.0\.1:\d+: trader_a cannot log in to trader on .*tried for \d+(\.\d)? s \(if it is a standby, compare pg_last_wal_replay_lsn/,
    );
    const before = await refusals();
    const waiting = verify(60_000);
    const tried = async () => (await refusals()) > before;
    await poll(tried, { what: "a login on the standby that fails", limitMs: 60_000 });
    await onStandby("SELECT pg_wal_replay_resume()");
    const { stdout, stderr } = await waiting;
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({ loggedInAs: "trader_a", paths: [{ path: `127.0.0.1:${port}` }] });
    expect(JSON.parse(stdout).paths[0].seconds).toBeGreaterThan(0);
  });

  it("is set again if the server that took over has lost it: its password, or the whole role", async () => {
    const database = { host: primary.host, port: primary.port, database: "trader", sslmode: "disable" };
    const restore = { database, owner: "trader", salt: Buffer.alloc(16, 1).toString("base64"), as: "scram" };
    await primary.query("CREATE ROLE trader LOGIN; ALTER ROLE trader_a PASSWORD 'of-yesterday'");
    expect((await verify(60_000)).stderr).toMatch(/password authentication failed/);
    for (const loss of ["ALTER ROLE trader_a PASSWORD 'of-yesterday' NOLOGIN", "DROP ROLE trader_a"]) {
      await primary.query(loss);
      const { stdout, stderr } = await verify(60_000, { restore });
      expect(stderr).toMatch(/warning: the server had lost the password of trader_a that was set before/);
      expect(JSON.parse(stdout)).toMatchObject({
        ...{ loggedInAs: "trader_a", paths: [{}] },
        warnings: [expect.stringMatching(/^the server had lost the password of trader_a/)],
      });
      const again = await verify(60_000, { restore });
      expect({ stderr: again.stderr, warnings: JSON.parse(again.stdout).warnings }).toEqual({ stderr: "" });
    }
  });

  it("counts as used while somebody is logged in there, and without an answer of the standby there is no look", async () => {
    const { host, adminUser: user, adminPassword: password } = primary;
    const admin = { host, port: primary.port, user, password, database: "trader" };
    process.env.PGPASSWORD = password;
    await migrate(admin);
    const database = { host, port: primary.port, name: "trader", sslmode: "disable", admin: user };
    const secretAt = (place: number) =>
      ({
        ...{ kind: "postgres-password", name: "database/password", strategy: "alternating-users", role: "trader" },
        ...{ database, restart: [], paths: [{ address: `${host}:${place}`, limit: 1000 }] },
      }) as unknown as PostgresPasswordConfig;
    const first = nextState(undefined, inputs(0));
    const state = nextState(first, inputs(1, { request: rotate("second") }));
    const look = (minutes: number, place = port) => {
      const now = new Date(at(1).getTime() + minutes * 60_000);
      const config = { environment: "paper", audit: undefined, secrets: [secretAt(place)] };
      return watchLogin(secretAt(place), state, { config, now });
    };
    // The second rotation has filled slot a, so that the login before is trader_b.
    await primary.query("CREATE ROLE trader_b LOGIN PASSWORD 'of-the-test'");
    const login = { host, port, user: "trader_b", password: "of-the-test", database: "trader" };
    const there = () => withSession({ ...login, application_name: "reports" }, () => look(0));
    await poll(() => withSession(login, (client) => client.query("SELECT 1")), {
      what: "trader_b there",
      limitMs: 60_000,
    });
    const used = await there();
    expect(used?.login).toBe("trader_b");
    expect(used?.watch.users).toMatchObject([{ user: `reports from 127.0.0.1 on ${host}:${port}` }]);
    const after = await look(5);
    expect(after?.watch).toMatchObject({
      samples: 2,
      lastUse: at(1).toISOString(),
      to: at(1 + 5 / 1440).toISOString(),
    });
    await expect(look(10, await freePort())).rejects.toThrow(/cannot log in to trader on/);
    // What the log of the primary has says nothing of logins on the standby: a quarter of an hour is the most.
    expect((await look(25))?.watch).toMatchObject({ samples: 3, gaps: 1 });
  });
});
