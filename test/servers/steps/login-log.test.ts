import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LogPlace } from "../../../audit/login-watch";
import { PIPELINE } from "../../../dev/lab/pipeline-login";
import { deploySql } from "../../../dev/lab/policies";
import type { Postgres } from "../../../dev/lab/postgres";
import { loginsInLog } from "../../../kinds/postgres-password/login-log";
import { PASSWORD, session, startServer, VERSIONS } from "./servers";

/** A role whose name is not ASCII: a line of the log has its bytes. */
const ROLE = "händler";

describe.each(VERSIONS)(
  "logins in the log of PostgreSQL $version, with deploy/sql/login-log.sql",
  ({ home, missing }) => {
    let server: Postgres;
    let stop: () => Promise<void>;

    beforeAll(async () => {
      if (missing) return;
      const settings = { logging_collector: "on", log_filename: "postgresql-%H%M%S.log", log_statement: "all" };
      ({ server, stop } = await startServer(home, settings));
      await server.query(`CREATE ROLE "${ROLE}" LOGIN PASSWORD '${PASSWORD}'`);
    });

    afterAll(() => stop?.());

    const look = (after: LogPlace | null) => session(server, PIPELINE, (client) => loginsInLog(client, ROLE, after));

    /** A client that has gone by the time of the next look. */
    const short = (application_name: string, user = ROLE) =>
      server.session((client: pg.Client) => client.query("SELECT 1"), { user, password: PASSWORD, application_name });

    const currentLog = async () => (await server.query("SELECT pg_current_logfile() AS file")).rows[0]?.file as string;

    it.skipIf(missing)("is not read before somebody has installed it", async () => {
      expect(await look(null)).toEqual({ uses: [], place: null, read: undefined });
      await server.query(deploySql("login-log", { pipeline: PIPELINE }));
    });

    it.skipIf(missing).each([
      ["stderr", "log", "an address that the log does not name"],
      ["csvlog", "csv", "127.0.0.1"],
      ["jsonlog", "json", "127.0.0.1"],
    ])("a client between two looks is seen: %s", async (format, ending, client) => {
      await server.query(`ALTER SYSTEM SET log_destination = '${format}'`);
      await server.query("SELECT pg_reload_conf()");
      await expect.poll(currentLog).toMatch(new RegExp(`\\.${ending}$`));

      const first = await look(null);
      expect(first).toMatchObject({
        uses: [],
        read: "broken",
        place: { file: expect.stringMatching(/^postgresql-\d+\./) },
      });
      await short("short job");
      await short("secret-rotation");
      await short("of another", PIPELINE);
      const second = await look(first.place);
      expect(second).toMatchObject({
        read: "whole",
        uses: [{ kind: "session", application: "short job", client, since: null }],
      });
      expect(await look(second.place)).toMatchObject({ read: "whole", uses: [] });
    });

    it.skipIf(missing)("is read on in the next file, and has a hole if the file that was read is gone", async () => {
      const { place } = await look(null);
      await short("before");
      const before = await currentLog();
      await expect
        .poll(async () => {
          await server.query("SELECT pg_rotate_logfile()");
          return currentLog();
        })
        .not.toBe(before);
      await short("after");
      const { uses, read } = await look(place);
      expect(read).toBe("whole");
      expect(uses.map((use) => "application" in use && use.application)).toEqual(["before", "after"]);
      expect((await look({ file: "postgresql-1.json", size: 0 })).read).toBe("broken");
      expect((await look({ file: String(place?.file), size: 1e12 })).read).toBe("broken");
    });

    it.skipIf(missing)("is broken if the server logs no logins: this run's own login is not in it", async () => {
      const { place } = await look(null);
      await server.query("ALTER SYSTEM SET log_connections = 'off'");
      await server.query("SELECT pg_reload_conf()");
      await expect.poll(async () => (await look(place)).read, { timeout: 20_000 }).toBe("broken");
      await server.query("ALTER SYSTEM SET log_connections = 'on'");
      await server.query("SELECT pg_reload_conf()");
    });

    it.skipIf(missing)("shows the lines of logins and no statement, to the pipeline alone", async () => {
      const call = "SELECT line FROM rotation_login_log.logins('postgresql-1.json', 0) WHERE line IS NOT NULL";
      const { rows } = await session(server, PIPELINE, (client) => client.query<{ line: string }>(call));
      for (const { line } of rows) expect(line).toContain("connection authorized: user=");
      await expect(session(server, ROLE, (client) => client.query(call))).rejects.toThrow(/permission denied/);
    });
  },
);
