import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Validation } from "../../cli/operate/validate";
import { withSession } from "../../clients/postgres";
import { usersIn } from "../../core/userlist";
import { noPgBouncer, type PgBouncer, startPgBouncer } from "../../dev/lab/pgbouncer";
import { poll } from "../../dev/lab/poll";
import { fine, rotation, unwrapped } from "./cli-support";
import { auditRows, type Bench, login, setDay, setRequest, stateOf, useBench } from "./harness";

const SECRET = "database/password";
const CONSOLE = "of-the-pooler-console";
const LOOKUP = "of-the-pooler-lookup";
const missing = noPgBouncer();
if (missing !== undefined) console.warn(`skipped: poolers; ${missing}`);

/** Logs in over a pooler again and again with what the store holds, as a service that has just started. */
class Client {
  tried = 0;
  readonly failures: string[] = [];
  private stopped = false;
  private readonly running: Promise<void>;

  constructor(
    private readonly bench: Bench,
    private readonly port: number,
  ) {
    this.running = this.run();
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      const held = await this.read();
      // A service keeps what it read; in between the store may have the next pair already.
      for (let uses = 0; uses < 5; uses++) await this.try(held);
      await pause(20);
    }
  }

  private async try({ user, password }: { user: string; password: string }): Promise<void> {
    const config = { host: "127.0.0.1", port: this.port, database: "trader", user, password };
    this.tried++;
    await withSession(config, (client) => client.query("SELECT 1")).catch((error: Error) => {
      this.failures.push(`${user}: ${error.message}`);
    });
  }

  private async read() {
    const { lab } = this.bench;
    const document = async (path: string) => {
      const url = `${lab.openbao.address}/v1/${lab.openbao.mount}/data/${lab.environment}/${path}`;
      const answer = await fetch(url, { headers: { "X-Vault-Token": lab.openbao.rootToken } });
      const body = (await answer.json()) as { data?: { data?: { value: string; generation?: string } } };
      return answer.ok ? body.data?.data : undefined;
    };
    const pair = await poll(
      async () => {
        const [password, username] = [await document("database/password"), await document("database/username")];
        if (password === undefined) throw new Error("no password");
        if (username !== undefined && username.generation !== password.generation) throw new Error("half a pair");
        return { user: username?.value ?? "trader", password: password.value };
      },
      { what: "a whole pair", limitMs: 60_000 },
    );
    return pair;
  }

  async stop() {
    this.stopped = true;
    await this.running;
    return this;
  }
}

describe.skipIf(missing !== undefined)("PgBouncer between services and PostgreSQL", () => {
  const bench = useBench();
  let asking: PgBouncer;
  let listed: PgBouncer;
  let env: Record<string, string>;

  const up = async () => {
    const { exitCode, stdout, stderr } = await bench().stack.pulumi(["up", "--yes", "--skip-preview"], { env });
    return { exitCode, text: unwrapped(stdout + stderr) };
  };
  const updated = async () => {
    const { exitCode, text } = await up();
    expect(exitCode, text).toBe(0);
    return text;
  };
  const points = async () => {
    const { stdout } = await rotation(bench(), ["validate", SECRET, "--json"], { env });
    return (JSON.parse(stdout) as Validation[])[0]?.points ?? [];
  };
  const secretsWith = async (paths: readonly unknown[]) => {
    const { lab, stack } = bench();
    const { host, port } = lab.postgres;
    const database = { host, port, name: "trader", sslmode: "disable" };
    const restart = lab.readers(SECRET);
    const secret = { kind: "postgres-password", name: SECRET, database, role: "trader", restart, paths };
    await stack.configure("secrets", [secret]);
  };
  const kept = () => ({
    address: `127.0.0.1:${listed.port}`,
    limit: "5s",
    pooler: { console: listed.admin, userlist: { file: listed.userlist, hosts: ["trading-1"] } },
  });
  const asked = () => ({ address: `127.0.0.1:${asking.port}`, limit: "5s", pooler: { console: asking.admin } });

  beforeAll(async () => {
    const { lab } = bench();
    await lab.postgres.query(`
      CREATE ROLE pooler_lookup LOGIN PASSWORD '${LOOKUP}';
      CREATE FUNCTION public.pooler_user(name text) RETURNS TABLE (usename name, passwd text) SECURITY DEFINER
        LANGUAGE sql AS 'SELECT usename, passwd FROM pg_catalog.pg_shadow WHERE usename = name AND usename <> ''postgres''';
      REVOKE ALL ON FUNCTION public.pooler_user FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION public.pooler_user TO pooler_lookup`);
    const { rows } = await lab.postgres.query("SELECT rolpassword FROM pg_authid WHERE rolname = 'trader'");
    const common = { postgres: lab.postgres, database: "trader", consolePassword: CONSOLE };
    const lookup = "SELECT usename, passwd FROM public.pooler_user($1)";
    asking = await startPgBouncer({
      ...common,
      dir: join(lab.dir, "pooler-asking"),
      users: { pooler_lookup: LOOKUP },
      settings: { auth_user: "pooler_lookup", auth_query: lookup },
    });
    const dir = join(lab.dir, "pooler-listed");
    listed = await startPgBouncer({ ...common, dir, users: { 'some "one"': "md5abc", trader: rows[0].rolpassword } });
    const file = join(lab.dir, "pgpass");
    const lines = [asking, listed].map(({ port, admin }) => `127.0.0.1:${port}:pgbouncer:${admin}:${CONSOLE}\n`);
    await writeFile(file, lines.join(""), { mode: 0o600 });
    env = { PGPASSFILE: file };
    await secretsWith(["primary", asked(), kept()]);
  });

  afterAll(async () => {
    await asking?.stop();
    await listed?.stop();
  });

  it("no login fails over auth_query or a user list that is kept, through adoption, rotation and rollback", async () => {
    const before = await stat(listed.userlist);
    const clients = [new Client(bench(), asking.port), new Client(bench(), listed.port)];
    await updated();
    expect(await stateOf(bench())).toMatchObject({ slots: [0, 1], active: 1 });
    const text = await readFile(listed.userlist, "utf8");
    expect(text).toMatch(/^; kept by hand\n"pooler_admin" "of-the-pooler-console"\n"some "one"" "md5abc"\n/);
    expect(usersIn(text)).toContain("trader_b");
    expect(text).toMatch(/"trader_b" "SCRAM-SHA-256\$/);
    const { uid, gid, mode } = await stat(listed.userlist);
    expect({ uid, gid, mode }).toEqual({ uid: before.uid, gid: before.gid, mode: before.mode });

    await setDay(bench(), 89);
    await updated();
    expect(await stateOf(bench())).toMatchObject({ slots: [2, 1], active: 0 });
    // Long enough for the grace period to end before the next rotation by age.
    await bench().stack.configure("policy", { retryAfter: "7d" });
    await setRequest(bench(), { id: "back", activate: 1 });
    await updated();
    for (const client of clients) {
      const { tried, failures } = await client.stop();
      expect(failures).toEqual([]);
      expect(tried).toBeGreaterThan(20);
    }
    expect((await points()).filter(({ verdict }) => verdict === "FAILED")).toEqual([]);
    expect((await points()).map(({ point }) => point)).toContain(`new credential works over 127.0.0.1:${listed.port}`);
  });

  it("the pooler's clients keep an old login, its own connections do not; then the list loses it", async () => {
    const { lab } = bench();
    // The previous login is trader_a; nobody knows its password but the stack, so the test sets one of its own.
    await lab.postgres.query("ALTER ROLE trader_a PASSWORD 'of-the-test'");
    const config = {
      host: "127.0.0.1",
      port: asking.port,
      database: "trader",
      user: "trader_a",
      password: "of-the-test",
    };
    await withSession({ ...config, application_name: "nightly-reconcile" }, async (client) => {
      await client.query("SELECT 1");
      await setDay(bench(), 91);
      expect(await updated()).toMatch(/still in use: nightly-reconcile from 127\.0\.0\.1 over 127\.0\.0\.1:\d+/);
    });
    const { rows } = await lab.postgres.query("SELECT FROM pg_stat_activity WHERE usename = 'trader_a'");
    expect(rows).not.toEqual([]);
    await updated();
    expect((await auditRows(bench())).at(-1)).toMatchObject({ action: "REVOKE" });
    expect(await login(bench(), "trader_a", "of-the-test")).toBe("28000");
    const users = usersIn(await readFile(listed.userlist, "utf8"));
    expect(users).toContain("trader_b");
    expect(users).not.toContain("trader_a");
    expect(users).not.toContain("trader");
  });

  it("a list that was changed by hand is found, and --fix writes the login again", async () => {
    const text = await readFile(listed.userlist, "utf8");
    await writeFile(listed.userlist, text.replace(/^"trader_b".*$/m, ""));
    const login = {
      host: "127.0.0.1",
      port: listed.port,
      user: listed.admin,
      password: CONSOLE,
      database: "pgbouncer",
    };
    await withSession(login, (client) => client.query("RELOAD"));
    const found = await rotation(bench(), ["diagnose", SECRET], { env });
    expect(found.exitCode).toBe(1);
    expect(unwrapped(found.stdout)).toMatch(/127\.0\.0\.1:\d+ does not take the login in use/);
    await fine(bench(), ["diagnose", SECRET, "--fix", "--yes"], { env });
    expect((await points()).filter(({ verdict }) => verdict === "FAILED")).toEqual([]);
  });

  it("a path that refuses stops the preflight, by its name; a wrong file and a console without rights too", async () => {
    await setRequest(bench(), { id: "again", rotate: true });
    await setDay(bench(), 92);
    const userlist = { file: join(listed.userlist, "..", "pgbouncer.ini"), hosts: ["trading-1"] };
    await secretsWith([
      { ...asked(), name: "no-such-database" },
      { ...kept(), pooler: { console: listed.admin, userlist } },
    ]);
    const { exitCode, text } = await up();
    expect(exitCode).not.toBe(0);
    expect(text).toMatch(
      /path 127\.0\.0\.1:\d+: over the path 127\.0\.0\.1:\d+: trader_b cannot log in to no-such-database/,
    );
    expect(text).toMatch(/reads the user list \S+userlist\.txt; expected \S+pgbouncer\.ini, as userlist\.file says/);
    expect(text).toContain("nothing was changed");
    await secretsWith([{ ...asked(), pooler: { console: "pooler_lookup" } }]);
    const second = await up();
    expect(second.text).toMatch(/pooler_lookup (cannot log in to|may not command)/);
    expect(second.text).toContain("nothing was changed");
  });
});
