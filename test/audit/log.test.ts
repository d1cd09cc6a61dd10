import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../audit/connection";
import type { AuditEntryInput } from "../../audit/entry";
import { append, isCurrent, migrate, prune, recordEntry } from "../../audit/log";
import { verifyChain } from "../../audit/verify";
import { sql, startTestServer, type TestServer, tamper } from "./database";

let tests: TestServer;
beforeAll(async () => {
  tests = await startTestServer();
});
afterAll(() => tests?.stop());

const entry = (step: string, more: Partial<AuditEntryInput> = {}): AuditEntryInput => ({
  secretName: "database/password",
  rotatedBy: "ci",
  rotationDate: "2026-11-23T09:00:00.123456+02:00",
  status: "SUCCESS",
  stack: "prod",
  environment: "prod",
  action: "ROTATE",
  generation: 3,
  reason: 'due; "quoted" — ünï\n\u{1f511}',
  outputs: { zeta: [1, 2.5, { b: null, a: "x" }], alpha: "secret/prod/database/password" },
  durationSeconds: 12.25,
  stepKey: step,
  ...more,
});

const verify = (connection: pg.ClientConfig) => withClient(connection, (client) => verifyChain(client));

async function filledLog(rows: number): Promise<pg.ClientConfig> {
  const database = await tests.database();
  await migrate(database);
  await withClient(database, async (client) => {
    for (let step = 1; step <= rows; step++) await append(client, entry(`step ${step}`));
  });
  return database;
}

describe("appending", () => {
  it("migrates an empty database and keeps every value", async () => {
    const database = await tests.database();
    const recorded = await recordEntry(database, entry("first"));
    expect(recorded).toEqual({ id: 1, hash: expect.stringMatching(/^[0-9a-f]{64}$/), existing: false });
    const { rows } = await sql(database, "SELECT * FROM secret_rotation_log");
    const { rotationDate, secretName, rotatedBy, durationSeconds, stepKey, ...same } = entry("first");
    expect(rows).toMatchObject([{ ...same, rotation_date: new Date(rotationDate), duration_seconds: "12.25" }]);
    expect(rows).toMatchObject([{ secret_name: secretName, rotated_by: rotatedBy, step_key: stepKey }]);
    expect(durationSeconds).toBe(12.25);
    expect(await verify(database)).toMatchObject({
      valid: true,
      rows: 1,
      guarded: true,
      tail: { hash: recorded.hash },
    });
  });

  it("writes a step once and returns its row again", async () => {
    const database = await filledLog(1);
    const first = await recordEntry(database, entry("again"));
    const second = await recordEntry(database, entry("again", { reason: "another run" }));
    expect(second).toEqual({ ...first, existing: true });
    expect(await verify(database)).toMatchObject({ valid: true, rows: 2 });
  });

  it("chains rows that are inserted by hand, several in one statement too, and ignores what they say of the chain", async () => {
    const database = await filledLog(1);
    await sql(
      database,
      `SET timezone = 'Asia/Kolkata'; SET datestyle = 'German';
       INSERT INTO secret_rotation_log (secret_name, rotated_by, rotation_date, status)
       VALUES ('alpaca/api_key', 'ops-user', '2025-11-06T14:30:00Z', 'SUCCESS'), ('a', 'b', now(), 'FAILED');
       INSERT INTO secret_rotation_log (id, secret_name, rotated_by, rotation_date, status, hash, previous_hash)
       VALUES (77, 'c', 'd', now(), 'ROLLED_BACK', 'forged', 'forged')`,
    );
    expect(await verify(database)).toMatchObject({ valid: true, rows: 4, problems: [] });
    const { rows } = await sql(database, "SELECT id::int, action FROM secret_rotation_log ORDER BY id");
    expect(rows.map(({ id }) => id)).toEqual([1, 2, 3, 4]);
    expect(rows[1]).toMatchObject({ action: "MANUAL" });
  });

  it("is one chain when twenty write at once, on an empty database too", async () => {
    const database = await tests.database();
    const writers = Array.from({ length: 20 }, (_, index) => recordEntry(database, entry(`step ${index % 15}`)));
    const recorded = await Promise.all(writers);
    expect(recorded.filter(({ existing }) => !existing)).toHaveLength(15);
    expect(new Set(recorded.map(({ id }) => id)).size).toBe(15);
    expect(await verify(database)).toMatchObject({ valid: true, rows: 15, tail: { id: 15 } });
  });

  it("leaves no gap and no fork when a transaction is rolled back or reads an old snapshot", async () => {
    const database = await filledLog(1);
    await withClient(database, async (client) => {
      await client.query("BEGIN");
      await append(client, entry("undone"));
      await client.query("ROLLBACK");
      await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
      await client.query("SELECT count(*) FROM secret_rotation_log");
      await recordEntry(database, entry("meanwhile"));
      await expect(append(client, entry("late"))).rejects.toMatchObject({ code: "40001" });
      await client.query("ROLLBACK");
      expect(await append(client, entry("late"))).toMatchObject({ id: 3 });
    });
    expect(await verify(database)).toMatchObject({ valid: true, rows: 3 });
  });

  it("refuses what is not an entry, before it connects", async () => {
    const nowhere = { host: "127.0.0.1", port: 1 };
    await expect(recordEntry(nowhere, entry("x", { status: "DONE" as never }))).rejects.toThrow(/status: /);
    await expect(recordEntry(nowhere, entry("x", { rotationDate: "yesterday" }))).rejects.toThrow(/rotationDate: /);
    await expect(recordEntry(nowhere, entry("x", { secretName: "a\0b" }))).rejects.toThrow(/secretName: .*NUL/);
  });

  it("names server and user when the database cannot be reached, and not the password", async () => {
    const wrong = { ...(await tests.database()), password: "a-wrong-password" };
    const refused = await recordEntry(wrong, entry("x")).catch((error: unknown) => String(error));
    expect(refused).toMatch(/127\.0\.0\.1.*user postgres.*psql -h/);
    expect(refused).not.toContain("a-wrong-password");
  });
});

describe("append-only", () => {
  it.each([
    "UPDATE secret_rotation_log SET status = 'FAILED'",
    "DELETE FROM secret_rotation_log",
    "TRUNCATE secret_rotation_log",
    "INSERT INTO secret_rotation_log (secret_name, rotated_by, rotation_date, status, step_key) VALUES ('a', 'b', now(), 'SUCCESS', 'step 1') ON CONFLICT (step_key) DO UPDATE SET status = 'FAILED'",
  ])("refuses, also to the owner: %s", async (statement) => {
    const database = await filledLog(1);
    await expect(sql(database, statement)).rejects.toThrow(/append-only/);
    expect(await verify(database)).toMatchObject({ valid: true, rows: 1 });
  });

  it("refuses a status that there is not, and a row without a name", async () => {
    const database = await filledLog(0);
    const insert = (name: string | null, status: string) =>
      sql(
        database,
        "INSERT INTO secret_rotation_log (secret_name, rotated_by, rotation_date, status) VALUES ($1, 'me', now(), $2)",
        [name, status],
      );
    await expect(insert("a", "OK")).rejects.toMatchObject({ code: "23514" });
    await expect(insert(null, "SUCCESS")).rejects.toMatchObject({ code: "23514" });
  });

  it("lets the oldest rows go after two years, through its function alone, and keeps the chain", async () => {
    const database = await filledLog(0);
    const years = (count: number) => new Date(Date.now() - count * 366 * 86_400_000);
    await withClient(database, async (client) => {
      for (const age of [5, 4, 3, 1, 4, 0]) {
        await append(client, entry(`age ${age} ${Math.random()}`, { rotationDate: years(age).toISOString() }));
      }
      await expect(prune(client, years(1), "ops-user")).rejects.toThrow(/last two years are kept/);
      expect(await prune(client, years(2), "ops-user")).toBe(3);
      expect(await prune(client, years(2), "ops-user")).toBe(0);
      const { rows } = await client.query("SELECT id::int, action, rotated_by FROM secret_rotation_log ORDER BY id");
      expect(rows.map(({ id }) => id)).toEqual([4, 5, 6, 7]);
      expect(rows.at(-1)).toMatchObject({ action: "PRUNE", rotated_by: "ops-user" });
    });
    expect(await verify(database)).toMatchObject({ valid: true, rows: 4, prunedThrough: 3, guarded: true });
    await expect(sql(database, "DELETE FROM secret_rotation_log WHERE id = 4")).rejects.toThrow(/append-only/);
    await tamper(database, "DELETE FROM secret_rotation_log WHERE id = 4");
    expect(await verify(database)).toMatchObject({ valid: false, problems: [{ id: 1, kind: "deleted" }] });
  });

  it("can be pruned while others write", async () => {
    const database = await filledLog(0);
    await sql(
      database,
      "INSERT INTO secret_rotation_log (secret_name, rotated_by, rotation_date, status) SELECT 'a', 'b', now() - interval '3 years', 'SUCCESS' FROM generate_series(1, 300)",
    );
    const writers = Array.from({ length: 10 }, (_, index) =>
      recordEntry(database, entry(`step ${index}`, { rotationDate: new Date().toISOString() })),
    );
    const before = new Date(Date.now() - 800 * 86_400_000);
    const removed = await Promise.all([
      withClient(database, (client) => prune(client, before, "a")),
      withClient(database, (client) => prune(client, before, "b")),
      ...writers,
    ]);
    expect(Number(removed[0]) + Number(removed[1])).toBe(300);
    expect(await verify(database)).toMatchObject({ valid: true, rows: 11, prunedThrough: 300 });
  });
});

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
    await expect(recordEntry(reader, entry("x"))).rejects.toThrow(
      /may not write .*GRANT rotation_audit_writer TO "r_/s,
    );
    await sql(database, `GRANT SELECT ON ALL TABLES IN SCHEMA public TO r_${name}`);
    await expect(recordEntry(reader, entry("x"))).rejects.toThrow(
      /may not write .*GRANT rotation_audit_writer TO "r_/s,
    );
    expect(await verify(reader)).toMatchObject({ valid: true, rows: 0 });
  });

  it("a login that may not migrate hears what to do", async () => {
    const database = await tests.database();
    const name = String(database.database);
    await sql(database, `CREATE ROLE n_${name} LOGIN PASSWORD 'of-nobody'`);
    const nobody = { ...database, user: `n_${name}`, password: "of-nobody" };
    await expect(recordEntry(nobody, entry("x"))).rejects.toThrow(
      /needs a migration, and user .* may not do it.*GRANT/s,
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

  it("may have a key of its own, live in another schema and belong to somebody else", async () => {
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
    expect(ran.map((names) => names.length).sort()).toEqual([0, 0, 1]);
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

describe("tampering by a superuser", () => {
  it.each([
    ["UPDATE secret_rotation_log SET status = 'FAILED' WHERE id = 3", "3 changed"],
    [
      "UPDATE secret_rotation_log SET rotation_date = rotation_date + interval '1 microsecond' WHERE id = 1",
      "1 changed",
    ],
    ["UPDATE secret_rotation_log SET reason = NULL WHERE id = 8", "8 changed"],
    ['UPDATE secret_rotation_log SET outputs = outputs || \'{"alpha": "x"}\' WHERE id = 4', "4 changed"],
    ["UPDATE secret_rotation_log SET recorded_at = NULL WHERE id = 4", "4 changed"],
    [
      "UPDATE secret_rotation_log AS log SET generation = 9, hash = secret_rotation_log_hash(log) WHERE id = 5",
      "5 changed",
    ],
    ["UPDATE secret_rotation_log SET id = 99 WHERE id = 8", "99 changed"],
    ["DELETE FROM secret_rotation_log WHERE id = 5", "5 deleted"],
    ["DELETE FROM secret_rotation_log WHERE id <= 2", "1 deleted"],
    ["DELETE FROM secret_rotation_log WHERE id > 6", "7 deleted"],
    ["TRUNCATE secret_rotation_log", "1 deleted"],
    [
      "INSERT INTO secret_rotation_log (secret_name, rotated_by, rotation_date, status, previous_hash, hash) VALUES ('a', 'b', now(), 'SUCCESS', '', '')",
      "9 inserted",
    ],
    [
      'UPDATE secret_rotation_log SET id = -id WHERE id > 4; UPDATE secret_rotation_log SET id = 1 - id WHERE id < 0; INSERT INTO secret_rotation_log SELECT (jsonb_populate_record(log, \'{"id": 5, "step_key": "new"}\')).* FROM secret_rotation_log AS log WHERE id = 4',
      "5 inserted",
    ],
    [
      "UPDATE secret_rotation_log SET id = CASE id WHEN 3 THEN -6 ELSE -3 END WHERE id IN (3, 6); UPDATE secret_rotation_log SET id = -id WHERE id < 0",
      "3 reordered, 6 reordered",
    ],
  ])("%s", async (statement, expected) => {
    const database = await filledLog(8);
    await tamper(database, statement);
    const verdict = await verify(database);
    expect(verdict.problems.map(({ id, kind }) => `${id} ${kind}`).join(", ")).toBe(expected);
    expect(verdict.valid).toBe(false);
  });

  it("leaves a gap behind deleted newest rows when others append afterwards", async () => {
    const database = await filledLog(8);
    await tamper(database, "DELETE FROM secret_rotation_log WHERE id > 6");
    expect(await recordEntry(database, entry("after"))).toMatchObject({ id: 9 });
    expect(await verify(database)).toMatchObject({ problems: [{ id: 7, kind: "deleted" }] });
  });

  it("shows against a noted row when the log's own note was altered as well", async () => {
    const database = await filledLog(7);
    const noted = await recordEntry(database, entry("noted"));
    await tamper(
      database,
      `DELETE FROM secret_rotation_log WHERE id = 8;
       UPDATE secret_rotation_log_head SET id = 7, rows = 7, hash = (SELECT hash FROM secret_rotation_log WHERE id = 7)`,
    );
    expect(await verify(database)).toMatchObject({ valid: true });
    const against = await withClient(database, (client) => verifyChain(client, { anchors: [noted] }));
    expect(against).toMatchObject({ valid: false, problems: [{ id: 8, kind: "deleted" }] });
  });

  it("says so when the triggers are out of force", async () => {
    const database = await filledLog(1);
    await sql(database, "ALTER TABLE secret_rotation_log DISABLE TRIGGER secret_rotation_log_guard");
    expect(await verify(database)).toMatchObject({ valid: true, guarded: false });
  });
});
