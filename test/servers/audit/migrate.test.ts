import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { withClient } from "../../../audit/connection";
import { isCurrent, migrate, recordEntry, schemaToMigrate } from "../../../audit/log";
import type { DatabaseReference } from "../../../clients/postgres";
import { checkAuditLog } from "../../../components/preflight/audit-log";
import { inShell } from "../../advice/shell";
import { advised } from "../../advice/table";
import { entry, logWith, sql, startTestServer, type TestServer, tamper, verify } from "./database";

let tests: TestServer;
beforeAll(async () => {
  tests = await startTestServer();
});
afterAll(() => tests?.stop());

const filledLog = (rows: number) => logWith(tests, rows);

describe("privileges", () => {
  it("a member of rotation_audit_writer appends and verifies, and can do nothing else", async () => {
    const database = await filledLog(2);
    const name = String(database.database);
    await sql(database, `CREATE ROLE w_${name} LOGIN PASSWORD 'of-the-writer' IN ROLE rotation_audit_writer`);
    const writer = { ...database, user: `w_${name}`, password: "of-the-writer" };
    expect(await recordEntry(writer, entry("by the writer"))).toMatchObject({ id: 3, existing: false });
    expect(await recordEntry(writer, entry("by the writer"))).toMatchObject({ id: 3, existing: true });
    expect(await verify(writer)).toMatchObject({ valid: true, rows: 3 });
    for (const refused of [
      "UPDATE secret_rotation_log SET status = 'FAILED'",
      "DELETE FROM secret_rotation_log",
      "TRUNCATE secret_rotation_log",
      "UPDATE secret_rotation_log_head SET id = 1",
      "ALTER TABLE secret_rotation_log DISABLE TRIGGER USER",
      "SELECT prune_secret_rotation_log(now() - interval '3 years', 'me')",
      "INSERT INTO secret_rotation_log (secret_name, rotated_by, rotation_date, status, action) VALUES ('a', 'b', now(), 'SUCCESS', 'PRUNE')",
    ]) {
      await expect(sql(writer, refused), refused).rejects.toMatchObject({ code: "42501" });
    }
  });

  it("a login that may not write hears what to do", async () => {
    const database = await filledLog(0);
    const name = String(database.database);
    await sql(database, `CREATE ROLE r_${name} LOGIN PASSWORD 'of-a-reader'`);
    const reader = { ...database, user: `r_${name}`, password: "of-a-reader" };
    const refused = await recordEntry(reader, entry("x")).catch(String);
    expect(refused).toMatch(/may not write .*GRANT rotation_audit_writer TO "r_/s);
    await sql(database, `GRANT SELECT ON ALL TABLES IN SCHEMA public TO r_${name}`);
    await expect(recordEntry(reader, entry("x"))).rejects.toThrow(
      /may not write .*GRANT rotation_audit_writer TO "r_/s,
    );
    expect(await verify(reader)).toMatchObject({ valid: true, rows: 0 });
    const asked = { ...reader, sslmode: "disable" } as unknown as DatabaseReference;
    vi.stubEnv("PGPASSWORD", reader.password);
    const said = await checkAuditLog(asked).catch(String);
    expect(said).toContain("no INSERT on secret_rotation_log");
    expect(advised("sql: GRANT rotation_audit_writer", said)).toBe(
      advised("sql: GRANT rotation_audit_writer", String(refused)),
    );
    await sql(database, advised("sql: GRANT rotation_audit_writer", said));
    expect(await checkAuditLog(asked)).toBe("secret_rotation_log takes rows");
    vi.unstubAllEnvs();
    expect(await recordEntry(reader, entry("x"))).toMatchObject({ id: 1 });
  });

  it("a login without a schema hears what makes one", async () => {
    const database = await tests.database();
    const name = `Of ${database.database}`;
    await sql(
      database,
      `CREATE ROLE "${name}" LOGIN PASSWORD 'of-one'; ALTER ROLE "${name}" SET search_path = "$user"`,
    );
    const one = { ...database, user: name, password: "of-one" };
    const asks = () => withClient(one, schemaToMigrate);
    await sql(database, advised("sql: CREATE SCHEMA", String(await asks().catch(String))));
    expect(await asks()).toBe(name);
  });

  it("a password that is refused: the command shows it too, and the right one logs in", async () => {
    const database = await tests.database();
    const refused = await verify({ ...database, password: "wrong" }).catch(String);
    const psql = advised("psql", String(refused));
    const env = { PGPASSFILE: "/dev/null", PGCONNECT_TIMEOUT: "10" };
    expect((await inShell(psql, { env: { ...env, PGPASSWORD: "wrong" } })).code).not.toBe(0);
    const works = await inShell(psql, {
      env: { ...env, PGPASSWORD: String(database.password) },
      input: "SELECT 40 + 2;",
    });
    expect(works).toMatchObject({ code: 0, said: expect.stringContaining("42") });
  });

  it("a log that another transaction holds: the query finds that one", async () => {
    const database = await filledLog(1);
    await withClient(database, async (holder) => {
      await holder.query("BEGIN; LOCK TABLE secret_rotation_log IN ACCESS EXCLUSIVE MODE");
      const refused = await recordEntry(database, entry("waits")).catch(String);
      const { rows } = await sql(database, advised("sql: who holds the log", String(refused)));
      const { rows: own } = await holder.query("SELECT pg_backend_pid() AS pid");
      expect(rows).toEqual([expect.objectContaining({ pid: own[0].pid, state: "idle in transaction" })]);
      await holder.query("ROLLBACK");
    });
    expect(await recordEntry(database, entry("waits"))).toMatchObject({ id: 2 });
  });

  it("a login that may not migrate hears what to do", async () => {
    const database = await tests.database();
    const name = String(database.database);
    await sql(database, `CREATE ROLE n_${name} LOGIN PASSWORD 'of-nobody'`);
    const nobody = { ...database, user: `n_${name}`, password: "of-nobody" };
    await expect(recordEntry(nobody, entry("x"))).rejects.toThrow(
      /^database \S+ has no secret_rotation_log, and user n_\S+ may not make it in schema public\. .*: `PGUSER=ADMIN rotation audit migrate`; .*GRANT.*config key `audit`/,
    );
    await sql(database, "CREATE TABLE secret_rotation_log (secret_name varchar(100))");
    await expect(recordEntry(nobody, entry("x"))).rejects.toThrow(
      /^secret_rotation_log in database \S+ needs a migration, and user n_\S+ may not do it in schema public\. .*GRANT/,
    );
  });
});

describe("a table made by hand", () => {
  const HANDMADE = `
    CREATE TABLE secret_rotation_log (secret_name varchar(100), rotated_by varchar(50), rotation_date timestamp, status varchar(20));
    INSERT INTO secret_rotation_log VALUES
      ('alpaca/api_key', 'ops-user', '2025-11-07 09:00', 'SUCCESS'),
      ('database/password', 'ops-user', '2025-11-06 14:30', 'SUCCESS'),
      ('database/password', NULL, '2025-02-06 14:30', 'done')`;

  it("keeps its rows and columns, which become the beginning of the chain", async () => {
    const database = await tests.database();
    await expect(verify(database)).rejects.toThrow(/no hash chain here.*does not exist/);
    await sql(database, HANDMADE);
    await expect(verify(database)).rejects.toThrow(/no hash chain here.*does not exist/);
    expect(await recordEntry(database, entry("first"))).toMatchObject({ id: 4 });
    const { rows } = await sql(
      database,
      "SELECT id::int, secret_name, rotated_by, rotation_date, status, action FROM secret_rotation_log ORDER BY id LIMIT 3",
    );
    const by = { secret_name: "database/password", rotated_by: "ops-user", status: "SUCCESS", action: "MANUAL" };
    expect(rows).toEqual([
      { ...by, id: 1, rotated_by: null, rotation_date: new Date("2025-02-06T14:30:00Z"), status: "done" },
      { ...by, id: 2, rotation_date: new Date("2025-11-06T14:30:00Z") },
      { ...by, id: 3, rotation_date: new Date("2025-11-07T09:00:00Z"), secret_name: "alpaca/api_key" },
    ]);
    expect(await verify(database)).toMatchObject({ valid: true, rows: 4 });
    await tamper(database, "UPDATE secret_rotation_log SET rotated_by = 'me' WHERE id = 2");
    expect(await verify(database)).toMatchObject({ problems: [{ id: 2, kind: "changed" }] });
  });

  it("may have a key of its own, live in another schema and belong to another role", async () => {
    const database = await tests.database();
    await sql(
      database,
      `CREATE SCHEMA "Ops"; SET search_path = "Ops";
       CREATE TABLE secret_rotation_log (id serial PRIMARY KEY, secret_name text NOT NULL, rotated_by text NOT NULL,
         rotation_date timestamptz NOT NULL, status text NOT NULL, notes text);
       INSERT INTO secret_rotation_log (secret_name, rotated_by, rotation_date, status) VALUES ('a', 'b', now(), 'SUCCESS');
       DELETE FROM secret_rotation_log;
       INSERT INTO secret_rotation_log (secret_name, rotated_by, rotation_date, status) VALUES ('a', 'b', now(), 'SUCCESS');
       ALTER TABLE secret_rotation_log OWNER TO pg_monitor;
       ALTER DATABASE ${database.database} SET search_path = public, "Ops"`,
    );
    expect(await recordEntry(database, entry("first"))).toMatchObject({ id: 3 });
    expect(await verify(database)).toMatchObject({ valid: true, rows: 2 });
  });

  it("is refused, and not touched, when a column means something else", async () => {
    const database = await tests.database();
    await sql(database, `${HANDMADE}; ALTER TABLE secret_rotation_log ADD generation text`);
    await expect(migrate(database)).rejects.toThrow(
      /secret_rotation_log.generation should be of type integer, found text/,
    );
    expect((await sql(database, "SELECT * FROM secret_rotation_log")).fields).toHaveLength(5);
  });
});

describe("migrations", () => {
  it("run once when two callers come at the same time", async () => {
    const database = await tests.database();
    const ran = await Promise.all([migrate(database), migrate(database), migrate(database)]);
    expect(ran.map((names) => names.length).sort()).toEqual([0, 0, 5]);
    expect(await withClient(database, isCurrent)).toBe(true);
  });

  it("are found from a bundle", async () => {
    const database = await tests.database();
    const outfile = join(await mkdtemp(join(process.cwd(), "node_modules", ".audit-")), "log.mjs");
    try {
      await build({
        entryPoints: ["audit/log.ts"],
        outfile,
        bundle: true,
        format: "esm",
        platform: "node",
        external: ["pg-native"],
        banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
      });
      const script = `import { recordEntry } from ${JSON.stringify(outfile)};
        console.log((await recordEntry(${JSON.stringify(database)}, ${JSON.stringify(entry("bundled"))})).id);`;
      const main = join(await mkdtemp(join(tmpdir(), "audit-bundle-")), "main.mjs");
      await writeFile(main, script);
      const { stdout } = await promisify(execFile)(process.execPath, [main], { cwd: tmpdir() });
      expect(stdout).toBe("1\n");
      await rm(join(main, ".."), { recursive: true });
    } finally {
      await rm(join(outfile, ".."), { recursive: true });
    }
  });
});
