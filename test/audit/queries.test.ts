import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../audit/connection";
import { append, migrate } from "../../audit/log";
import { lastRowOfEach, rowsBetween, rowsForReport } from "../../audit/queries";
import { buildReport } from "../../audit/report";
import { verifyChain } from "../../audit/verify";
import { startTestServer, type TestServer } from "./database";
import { OPTIONS, ROWS, report, SECRETS, utc } from "./example";

let tests: TestServer;
let database: pg.ClientConfig;
beforeAll(async () => {
  tests = await startTestServer();
  database = await tests.database();
  await migrate(database);
  await withClient(database, async (client) => {
    for (const { id, hash, recordedAt, rotationDate, outputs, ...row } of ROWS) {
      const entry = { ...row, rotationDate: rotationDate.toISOString(), outputs: { version: id } };
      await append(client, entry as Parameters<typeof append>[1]);
      expect([hash.length, recordedAt, outputs]).toEqual([64, rotationDate, expect.anything()]);
    }
  });
});
afterAll(() => tests?.stop());

const ids = (rows: readonly { id: number }[]) => rows.map(({ id }) => id);

describe("the log's queries", () => {
  it("give the rows of a time, and every value of them", async () => {
    const rows = await withClient(database, (client) => rowsBetween(client, utc("2026-04-22"), utc("2026-07-05")));
    expect(ids(rows)).toEqual([4, 5, 6, 7]);
    expect(rows[2]).toEqual({
      ...ROWS[5],
      outputs: { version: 6 },
      recordedAt: expect.any(Date),
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it("give the newest row of each secret", async () => {
    const rows = await withClient(database, (client) => lastRowOfEach(client));
    expect(ids(rows).sort()).toEqual([2, 8, 9]);
  });

  it("keep to a secret and to an environment, in which a row that names none may be", async () => {
    await withClient(database, async (client) => {
      const from = utc("2026-01-01");
      expect(ids(await rowsBetween(client, from, OPTIONS.to, { environment: "paper" }))).toEqual([2]);
      const filter = { secretName: "alpaca/api_key", environment: "prod" };
      expect(ids(await rowsBetween(client, from, OPTIONS.to, filter))).toEqual([2, 4, 9]);
    });
  });

  it("give a report what it needs, and no more", async () => {
    await withClient(database, async (client) => {
      const { from, to } = OPTIONS;
      const rows = await rowsForReport(client, from, to);
      expect(ids(rows)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(ids(await rowsForReport(client, utc("2026-07-10"), to))).toEqual([1, 2, 3, 4, 6, 7, 8, 9]);
      const built = buildReport(rows, SECRETS, { ...OPTIONS, chain: await verifyChain(client) });
      expect(built.secrets).toEqual(report().secrets);
      expect(built.chain).toMatchObject({ valid: true, rows: 9 });
    });
  });
});
