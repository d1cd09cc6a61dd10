import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../audit/connection";
import { append, prune, recordEntry } from "../../../audit/log";
import { entry, logWith, sql, startTestServer, type TestServer, tamper, verify } from "./database";

let tests: TestServer;
beforeAll(async () => {
  tests = await startTestServer();
});
afterAll(() => tests?.stop());

const filledLog = (rows: number) => logWith(tests, rows);

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
