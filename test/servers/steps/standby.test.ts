import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, chmod, chown, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../../cli/toolchain/project";
import { withSession } from "../../../clients/postgres";
import { poll } from "../../../dev/lab/poll";
import { freePort } from "../../../dev/lab/ports";
import { type Postgres, startPostgres } from "../../../dev/lab/postgres";
import { serverAccount } from "../../../dev/lab/postgres-binaries";
import { type ManagedProcess, startProcess } from "../../../dev/lab/processes";

const HOME = "/usr/lib/postgresql/15";
const missing = !existsSync(join(HOME, "bin/pg_basebackup"));
if (missing)
  console.warn(`skipped: a streaming standby; ${HOME}/bin/pg_basebackup is missing: apt-get install postgresql-15`);

/** Long enough to be seen, and nothing is judged by it but that it is waited for. */
const LAG = "3s";

describe.skipIf(missing)("a login that a standby replays later", () => {
  let dir: string;
  let primary: Postgres;
  let standby: ManagedProcess;
  let port: number;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "standby-"));
    const account = await serverAccount();
    primary = await startPostgres({ dir, home: HOME, settings: { log_connections: "on", fsync: "on" } });
    const data = join(dir, "standby");
    await mkdir(data, { mode: 0o700 });
    await chmod(data, 0o700);
    if (account.uid !== undefined) await chown(data, account.uid, account.gid ?? account.uid);
    const { host, adminUser, adminPassword } = primary;
    const from = ["-h", host, "-p", String(primary.port), "-U", adminUser, "-D", data, "-R", "--checkpoint=fast"];
    const env = { ...process.env, PGPASSWORD: adminPassword };
    await promisify(execFile)(join(HOME, "bin/pg_basebackup"), from, { ...account, env, cwd: "/" });
    port = await freePort();
    await appendFile(join(data, "postgresql.auto.conf"), `port = '${port}'\nrecovery_min_apply_delay = '${LAG}'\n`);
    const logFile = join(dir, "standby.log");
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

  async function verify(limit: number, password: string) {
    const database = { host: primary.host, port: primary.port, database: "trader", sslmode: "disable" };
    const paths = [{ ...database, port, limit, pooler: false }];
    const step = join(projectRoot(), "dist/steps/verify-login.mjs");
    const input = JSON.stringify({ database, username: "trader_a", password, paths });
    return execa(process.execPath, [step], { input, reject: false });
  }

  it("is waited for, with the time that it took; without enough time the path is named", async () => {
    await primary.query("CREATE ROLE trader_a LOGIN PASSWORD 'first-of-all'");
    const early = await verify(200, "first-of-all");
    expect(early.exitCode).toBe(1);
    expect(early.stderr).toMatch(
      /over the path 127\.0\.0\.1:\d+: trader_a cannot log in to trader on .*tried for 0\.\d s \(if it is a standby, compare pg_last_wal_replay_lsn/,
    );
    await primary.query("ALTER ROLE trader_a PASSWORD 'second-of-all'");
    const waited = await verify(60_000, "second-of-all");
    expect(waited.stderr).toBe("");
    expect(JSON.parse(waited.stdout)).toMatchObject({
      loggedInAs: "trader_a",
      paths: [{ path: `127.0.0.1:${port}`, seconds: expect.any(Number) }],
    });
    expect(JSON.parse(waited.stdout).paths[0].seconds).toBeGreaterThan(0);
  });
});
