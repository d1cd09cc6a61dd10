import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../audit/connection";
import { onSnapshot, pagesOf } from "../../../audit/cursor";
import { append, migrate } from "../../../audit/log";
import { lastRowOfEach, rowsBetween, rowsForFigures, secretsForFigures } from "../../../audit/queries";
import { ReportBuilder } from "../../../audit/report-builder";
import { verifyChain } from "../../../audit/verify";
import { OPTIONS, ROWS, report, SECRETS, utc } from "../../unit/audit/example";
import { startTestServer, type TestServer } from "./database";

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

async function all<Row>(client: pg.ClientBase, rows: AsyncIterable<Row>): Promise<Row[]> {
  return onSnapshot(client, async () => {
    const found: Row[] = [];
    for await (const row of rows) found.push(row);
    return found;
  });
}

const ids = (rows: readonly { id: number }[]) => rows.map(({ id }) => id);

describe("the log's queries", () => {
  it("give the rows of a time, and every value of them", async () => {
    const rows = await withClient(database, (client) =>
      all(client, rowsBetween(client, utc("2026-04-22"), utc("2026-07-05"))),
    );
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
      expect(ids(await all(client, rowsBetween(client, from, OPTIONS.to, { environment: "paper" })))).toEqual([2]);
      const filter = { secretName: "alpaca/api_key", environment: "prod" };
      expect(ids(await all(client, rowsBetween(client, from, OPTIONS.to, filter)))).toEqual([2, 4, 9]);
    });
  });

  it("give more rows than a page, and end in peace if nobody reads on", async () => {
    await withClient(database, async (client) => {
      const text = "SELECT n FROM generate_series(1, 5000) AS n";
      await onSnapshot(client, async () => {
        const pages = [];
        for await (const page of pagesOf<{ n: number }>(client, "whole", { text })) pages.push(page.length);
        expect(pages).toEqual([2000, 2000, 1000]);
        for await (const page of pagesOf<{ n: number }>(client, "begun", { text })) {
          expect(page[0]).toEqual({ n: 1 });
          break;
        }
        expect((await client.query("SELECT 1 AS n")).rows).toEqual([{ n: 1 }]);
      });
    });
  });

  it("give a report what it needs, and no more", async () => {
    await withClient(database, async (client) => {
      const { from, to } = OPTIONS;
      const rows = await all(client, rowsForFigures(client, from, to));
      expect(ids(rows)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(ids(await all(client, rowsForFigures(client, utc("2026-07-10"), to)))).toEqual([1, 2, 3, 4, 6, 7, 8, 9]);
      const secrets = await secretsForFigures(client, from, to);
      expect(secrets.map(({ secretName, environment }) => [secretName, environment])).toEqual([
        ["database/password", "prod"],
        ["alpaca/api_key", null],
        ["alpaca/api_key", "prod"],
      ]);
      const builder = new ReportBuilder(SECRETS, secrets, { ...OPTIONS, chain: await verifyChain(client) });
      for (const row of rows) builder.push(row);
      const built = builder.figures();
      expect(built.secrets).toEqual(report().secrets);
      expect(built.chain).toMatchObject({ valid: true, rows: 9 });
    });
  });
});
