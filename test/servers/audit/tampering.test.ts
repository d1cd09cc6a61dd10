import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../audit/connection";
import { recordEntry } from "../../../audit/log";
import { verifyChain } from "../../../audit/verify";
import { entry, logWith, sql, startTestServer, type TestServer, tamper, verify } from "./database";

let tests: TestServer;
beforeAll(async () => {
  tests = await startTestServer();
});
afterAll(() => tests?.stop());

const filledLog = (rows: number) => logWith(tests, rows);

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
