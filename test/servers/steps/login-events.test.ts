import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PostgresPasswordConfig } from "../../../config";
import { nextState } from "../../../core/next-state";
import { PIPELINE } from "../../../dev/lab/pipeline-login";
import { deploySql } from "../../../dev/lab/policies";
import type { Postgres } from "../../../dev/lab/postgres";
import { notedLogins } from "../../../kinds/postgres-password/login-events";
import { watchLogin } from "../../../kinds/postgres-password/watch-login";
import { at, inputs, rotate } from "../../unit/core/update-inputs";
import { PASSWORD, session, startServer } from "./servers";

const ROLE = "trader_b";
const NAME = "nightly-reconcile";

describe("logins that the trigger of deploy/sql/login-trigger.sql has noted", () => {
  let server: Postgres;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    ({ server, stop } = await startServer(undefined));
    await server.query(`CREATE ROLE ${ROLE} LOGIN PASSWORD '${PASSWORD}'`);
  });
  afterAll(() => stop?.());

  const noted = (seconds = 0) => session(server, PIPELINE, (client) => notedLogins(client, ROLE, seconds));
  /** A client that has gone by the time of the next look. */
  const short = (application_name: string, user = ROLE) =>
    server.session((client: pg.Client) => client.query("SELECT 1 AS one"), {
      user,
      password: PASSWORD,
      application_name,
    });

  it("are none before somebody has installed it, and after that each application and address once a minute", async () => {
    await short("before");
    expect(await noted()).toEqual([]);
    await server.query(deploySql("login-trigger", { pipeline: PIPELINE }));
    await short("short job");
    await short("short job");
    await short("secret-rotation");
    await short("of another", PIPELINE);
    expect(await noted()).toEqual([
      { kind: "session", application: "short job", client: "127.0.0.1", since: expect.stringMatching(/^\d{4}-.*Z$/) },
    ]);
    const { rows } = await server.query("SELECT count(*)::int AS n FROM rotation_login_events.noted WHERE role = $1", [
      ROLE,
    ]);
    expect(rows).toEqual([{ n: 2 }]);
  });

  it("are those since the last look, and two minutes more, since a login within a minute of the last is not noted", async () => {
    const age = (minutes: number) =>
      server.query("UPDATE rotation_login_events.noted SET at = clock_timestamp() - make_interval(mins => $1)", [
        minutes,
      ]);
    await age(3);
    expect(await noted()).toEqual([]);
    expect(await noted(120)).toHaveLength(1);
    await age(31 * 24 * 60);
    await noted();
    expect((await server.query("SELECT FROM rotation_login_events.noted WHERE role = $1", [ROLE])).rowCount).toBe(0);
  });

  it("can be run again, and is the pipeline's alone", async () => {
    await server.query(deploySql("login-trigger", { pipeline: PIPELINE }));
    const call = "SELECT * FROM rotation_login_events.logins('trader_b', 60)";
    await expect(session(server, ROLE, (client) => client.query(call))).rejects.toThrow(/permission denied/);
    await expect(
      session(server, PIPELINE, (client) => client.query("SELECT * FROM rotation_login_events.noted")),
    ).rejects.toThrow(/permission denied/);
  });

  it("never make a login fail: a session that is read-only, a table that is gone, one that is locked", async () => {
    const works = async () => expect((await short(NAME)).rows).toEqual([{ one: 1 }]);
    await server.query(`ALTER ROLE ${ROLE} SET default_transaction_read_only = on`);
    await works();
    const named = async () => (await noted()).filter((use) => "application" in use && use.application === NAME);
    expect(await named()).toEqual([]);
    await server.query(`ALTER ROLE ${ROLE} RESET default_transaction_read_only`);
    await server.query("ALTER TABLE rotation_login_events.noted RENAME TO gone");
    await works();
    await server.query("ALTER TABLE rotation_login_events.gone RENAME TO noted");
    await server.session(
      async (client: pg.Client) => {
        await client.query("BEGIN; LOCK TABLE rotation_login_events.noted");
        await works();
        await client.query("ROLLBACK");
      },
      { user: server.adminUser, password: server.adminPassword },
    );
    expect(await named()).toEqual([]);
    await works();
    expect(await named()).toHaveLength(1);
  });

  it("are uses of the login that is watched, though it has gone by the time of the next look", async () => {
    const { host, port, adminUser: admin, adminPassword } = server;
    process.env.PGPASSWORD = adminPassword;
    const secret = {
      ...{ kind: "postgres-password", name: "database/password", strategy: "alternating-users", role: "trader" },
      ...{ database: { host, port, name: "trader", sslmode: "disable", admin }, restart: [] },
    } as unknown as PostgresPasswordConfig;
    const state = nextState(nextState(undefined, inputs(0)), inputs(1, { request: rotate("second") }));
    const config = { environment: "paper", audit: undefined, secrets: [secret] };
    const look = (minutes: number) =>
      watchLogin(secret, state, { config, now: new Date(at(1).getTime() + minutes * 60_000) });
    await server.query("DELETE FROM rotation_login_events.noted");
    expect((await look(0))?.watch).toMatchObject({ lastUse: null, users: [] });
    await short("short job");
    expect((await look(5))?.watch).toMatchObject({
      ...{ samples: 2, gaps: 0, lastUse: at(1 + 5 / 1440).toISOString() },
      users: [{ user: "short job from 127.0.0.1" }],
    });
    // The trigger proves no completeness, so a quarter of an hour is the most between two looks.
    expect((await look(25))?.watch).toMatchObject({ samples: 3, gaps: 1 });
  });
});
