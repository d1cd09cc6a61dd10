import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Postgres, startPostgres } from "../../../dev/lab/postgres";
import { testFolder } from "./folder";

let folder: Awaited<ReturnType<typeof testFolder>>;
let postgres: Postgres;

beforeAll(async () => {
  folder = await testFolder();
  postgres = await startPostgres({ dir: folder.dir, settings: { max_connections: "50" } });
});
afterAll(async () => {
  await postgres?.stop();
  await folder?.remove();
});

const login = (password: string) => postgres.session(async () => "in", { password });

test("asks for the password over TCP", async () => {
  await expect(login(postgres.adminPassword)).resolves.toBe("in");
  await expect(login("wrong")).rejects.toMatchObject({ code: "28P01" });
});

test("logs every statement and takes settings", async () => {
  await postgres.query("select 'a statement to find'");
  expect(await readFile(postgres.logFile, "utf8")).toContain("a statement to find");
  expect((await postgres.query("show max_connections")).rows).toEqual([{ max_connections: "50" }]);
});

test("keeps its data over a restart", async () => {
  await postgres.query("create table kept (id int)");
  await postgres.restart();
  expect((await postgres.query("select count(*)::int as n from kept")).rows).toEqual([{ n: 0 }]);
});

test("says why the server does not start", async () => {
  const other = await testFolder();
  try {
    await expect(startPostgres({ dir: other.dir, settings: { no_such_setting: "1" } })).rejects.toThrow(
      /ended with exit code 1[\s\S]*no_such_setting/,
    );
  } finally {
    await other.remove();
  }
});
