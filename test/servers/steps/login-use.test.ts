import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROBE_APPLICATION } from "../../../clients/postgres";
import { type Postgres, startPostgres } from "../../../dev/lab/postgres";
import { usesOf } from "../../../kinds/postgres-password/login-use";
import { newSessions } from "../../../kinds/postgres-password/old-sessions";
import { advised } from "../../advice/table";

describe("who logs in as a role, as the server says", () => {
  let dir: string;
  let postgres: Postgres;
  const clients: pg.Client[] = [];

  async function connect(user: string, password: string, application: string, database = "trader"): Promise<pg.Client> {
    const { host, port } = postgres;
    const client = new pg.Client({ host, port, user, password, database, application_name: application });
    await client.connect();
    clients.push(client);
    return client;
  }

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "login-use-"));
    postgres = await startPostgres({ dir });
    await postgres.query("CREATE ROLE trader LOGIN PASSWORD 'of-the-test'");
    await postgres.query("CREATE ROLE rotation LOGIN CREATEROLE PASSWORD 'of-the-test'");
    await postgres.query("CREATE DATABASE other");
  });

  afterAll(async () => {
    await Promise.all(clients.map((client) => client.end()));
    await postgres?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const asAdmin = () => connect(postgres.adminUser, postgres.adminPassword, "test");

  it("nobody", async () => {
    expect(await usesOf(await asAdmin(), "trader")).toEqual([]);
  });

  it("sessions in any database, each client once, without this program's own", async () => {
    await connect("trader", "of-the-test", "nightly-reconcile");
    await connect("trader", "of-the-test", "nightly-reconcile", "other");
    await connect("trader", "of-the-test", "secret-rotation");
    await connect("trader", "of-the-test", PROBE_APPLICATION);
    const session = {
      kind: "session",
      application: "nightly-reconcile",
      client: "127.0.0.1",
      since: expect.any(String),
    };
    expect(await usesOf(await asAdmin(), "trader")).toEqual([session]);
    expect(await usesOf(await asAdmin(), "traders")).toEqual([]);
  });

  it("without pg_read_all_stats there is a session, but no address and no time", async () => {
    const unprivileged = await connect("rotation", "of-the-test", "test");
    expect(await usesOf(unprivileged, "trader")).toEqual([
      { kind: "session", application: "nightly-reconcile", client: null, since: null },
    ]);
    await postgres.query("GRANT pg_read_all_stats TO rotation");
    const granted = await connect("rotation", "of-the-test", "test");
    expect(await usesOf(granted, "trader")).toMatchObject([{ client: "127.0.0.1", since: expect.any(String) }]);
  });

  it("mappings that log in as the role, and not those that only belong to it", async () => {
    await postgres.query("CREATE FOREIGN DATA WRAPPER plain");
    await postgres.query("CREATE SERVER ledger FOREIGN DATA WRAPPER plain");
    await postgres.query(
      "CREATE USER MAPPING FOR rotation SERVER ledger OPTIONS (user 'trader', password 'of-the-test')",
    );
    await postgres.query("CREATE USER MAPPING FOR trader SERVER ledger OPTIONS (user 'ledger')");
    const found = (await usesOf(await asAdmin(), "trader")).filter(({ kind }) => kind === "mapping");
    expect(found).toEqual([{ kind: "mapping", server: "ledger", mappedFor: "rotation" }]);
  });

  it("the warning after a restart names the query that finds them", async () => {
    const told = await newSessions(await asAdmin(), "trader", []);
    const { rows } = await postgres.query(advised("sql: who uses a login", told ?? ""));
    expect(rows.map(({ application_name: name }) => name)).toContain("nightly-reconcile");
    expect(told).not.toContain(PROBE_APPLICATION);
  });

  it("jobs of pg_cron and pgAgent if their tables are there and may be read", async () => {
    await postgres.query("CREATE SCHEMA cron");
    await postgres.query("CREATE TABLE cron.job (jobid int, jobname text, username text, active boolean)");
    await postgres.query("INSERT INTO cron.job VALUES (1, 'reconcile', 'trader', true), (2, 'old', 'trader', false)");
    await postgres.query("INSERT INTO cron.job VALUES (3, NULL, 'trader', true), (4, 'own', 'postgres', true)");
    await postgres.query("CREATE SCHEMA pgagent");
    await postgres.query("CREATE TABLE pgagent.pga_jobstep (jstname text, jstconnstr text, jstenabled boolean)");
    await postgres.query("INSERT INTO pgagent.pga_jobstep VALUES ('nightly', 'host=db user=trader dbname=x', true)");
    await postgres.query("INSERT INTO pgagent.pga_jobstep VALUES ('other', 'host=db user=trader_b', true)");
    const found = (await usesOf(await asAdmin(), "trader")).filter(({ kind }) => kind === "job");
    expect(found).toEqual([
      { kind: "job", scheduler: "pg_cron", name: "3" },
      { kind: "job", scheduler: "pg_cron", name: "reconcile" },
      { kind: "job", scheduler: "pgAgent", name: "nightly" },
    ]);
    const unprivileged = await connect("rotation", "of-the-test", "test");
    expect((await usesOf(unprivileged, "trader")).filter(({ kind }) => kind === "job")).toEqual([]);
  });
});
