import { randomBytes } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { append, isCurrent, migrate } from "../../../audit/log";
import { updateWatch } from "../../../audit/login-watch";
import { checkAuditLog } from "../../../components/preflight/audit-log";
import { watched } from "../../../core/disuse";
import { scramVerifier } from "../../../core/scram";
import { PIPELINE } from "../../../dev/lab/pipeline-login";
import { deploySql } from "../../../dev/lab/policies";
import type { Postgres } from "../../../dev/lab/postgres";
import { checkDatabase } from "../../../kinds/postgres-password/preflight/database";
import { entry, startTestServer, type TestServer } from "../audit/database";
import { VERSIONS } from "../steps/servers";

let tests: TestServer;
let server: Postgres;
let admin: pg.Client;
const databases: string[] = [];

/** For the tests of a block: a server of this version. */
function useServer(home: string | undefined, missing = false): void {
  beforeAll(async () => {
    if (missing) return;
    tests = await startTestServer(home);
    server = tests.server;
    admin = await connect(server.adminUser, server.adminPassword, "postgres");
  });
  afterAll(async () => {
    if (missing) return;
    databases.splice(0);
    await admin?.end();
    await tests?.stop();
  });
  beforeEach(async () => {
    if (!missing) await clear();
  });
}

async function connect(user: string, password: string, database: string): Promise<pg.Client> {
  const client = new pg.Client({ host: server.host, port: server.port, user, password, database });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

/** A file of `deploy/sql/`, statement by statement; a change that leaves nothing of one leaves it out. */
async function run(file: string, client: pg.Client, values: Record<string, string>, change: Change): Promise<void> {
  for (const statement of statements(deploySql(file, values)).map(change)) {
    if (statement !== "") await client.query(statement);
  }
}

type Change = (sql: string) => string;

const nothing: Change = (sql) => sql;

/** What stands between two `$$` is one part of a statement. */
const statements = (sql: string) =>
  (sql.match(/(?:\$\$[\s\S]*?\$\$|[^;])+/g) ?? []).map((part) => part.trim()).filter((part) => part !== "");

const PASSWORD = "of-the-pipeline";

/** A platform of its own, as a superuser makes it with the files of `deploy/sql/`, less one privilege. */
async function platform(change: Change = nothing): Promise<{ role: string; database: string }> {
  const database = `d_${randomBytes(6).toString("hex")}`;
  const role = `r_${randomBytes(6).toString("hex")}`;
  databases.push(database);
  await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'old'`);
  await admin.query(`CREATE DATABASE ${database}`);
  await admin.query(`REVOKE ALL ON DATABASE ${database} FROM PUBLIC; GRANT CONNECT ON DATABASE ${database} TO ${role}`);
  const own = await connect(server.adminUser, server.adminPassword, database);
  try {
    const values = { pipeline: PIPELINE, role, database };
    await run("pipeline-login", own, values, change);
    await own.query(`ALTER ROLE ${PIPELINE} PASSWORD '${PASSWORD}'`);
    await run("managed-role", own, values, change);
    const { host, port, adminUser: user, adminPassword: password } = server;
    await migrate({ host, port, user, password, database });
    await run("audit-log", own, values, change);
  } finally {
    await own.end();
  }
  return { role, database };
}

async function clear(): Promise<void> {
  for (const database of databases.splice(0)) await admin.query(`DROP DATABASE ${database} WITH (FORCE)`);
  const { rows } = await admin.query(
    "SELECT rolname FROM pg_roles WHERE rolname <> current_user AND rolname !~ '^pg_' ORDER BY rolname DESC",
  );
  for (const { rolname } of rows) await admin.query(`DROP OWNED BY "${rolname}"`);
  for (const { rolname } of rows) await admin.query(`DROP ROLE "${rolname}"`);
}

/** All that the pipeline does in PostgreSQL, in its order; each by its name. */
const operations: Record<string, (client: pg.Client, role: string) => Promise<unknown>> = {
  "changes the password of the role": (client, role) => client.query(`ALTER ROLE ${role} PASSWORD '${verifier()}'`),
  "makes a login role": (client, role) => client.query(`CREATE ROLE ${role}_a LOGIN PASSWORD '${verifier()}'`),
  "makes it a member": (client, role) => client.query(`GRANT ${role} TO ${role}_a`),
  "lets it act as the role": (client, role) => client.query(`ALTER ROLE ${role}_a SET role = '${role}'`),
  "gives it a setting of the role": (client, role) =>
    client.query(`ALTER ROLE ${role}_a IN DATABASE ${client.database} SET work_mem = '7MB'`),
  "gives it a limit": (client, role) =>
    client.query(`ALTER ROLE ${role}_a CONNECTION LIMIT 7 VALID UNTIL '2031-01-01'`),
  "remembers what it gave": (client, role) => client.query(`COMMENT ON ROLE ${role}_a IS 'copied'`),
  "ends the old login": (client, role) => client.query(`ALTER ROLE ${role} NOLOGIN`),
  "gives it back": (client, role) => client.query(`ALTER ROLE ${role} LOGIN`),
  "sees who is logged in": (client, role) =>
    client.query("SELECT usename, backend_start FROM pg_stat_activity WHERE usename = $1", [role]),
  "finds the log up to date": async (client) => {
    if (!(await isCurrent(client))) throw new Error("not current");
  },
  "writes a row": (client) => append(client, entry(`step ${randomBytes(4).toString("hex")}`)),
  "reads the rows": (client) => client.query("SELECT hash FROM secret_rotation_log"),
  "notes a reminder": (client) =>
    client.query(
      "INSERT INTO secret_rotation_reminders VALUES ('prod', 'prod', 'database/password', 1, 'day-85', 'slack', now())",
    ),
  "adds looks to a watch": async (client, role) => {
    const key = { environment: "prod", secret: "database/password", generation: 1, login: role };
    for (const samples of [1, 2]) {
      const watch = await updateWatch(client, key, (before) => watched(before, { at: new Date(), uses: [] }), null);
      if (watch.samples !== samples) throw new Error(`expected ${samples} looks, found ${watch.samples}`);
    }
  },
};

const verifier = () => scramVerifier("new-password-of-a-test", randomBytes(16).toString("base64"));

/** What of {@link operations} is refused, in order; "connect" where the login itself is. */
async function refused({ role, database }: { role: string; database: string }): Promise<string[]> {
  let client: pg.Client;
  try {
    client = await connect(PIPELINE, PASSWORD, database);
  } catch {
    return ["connect"];
  }
  const failed: string[] = [];
  try {
    for (const [name, operation] of Object.entries(operations)) {
      await operation(client, role).catch((error: { code?: string }) => failed.push(`${name}: ${error.code}`));
    }
  } finally {
    await client.end();
  }
  return failed;
}

describe.each(VERSIONS)("deploy/sql on PostgreSQL $version", ({ home, missing }) => {
  useServer(home, missing);

  test.skipIf(missing)("is enough for every operation, and the two login roles work", async () => {
    const place = await platform();
    expect(await refused(place)).toEqual([]);
    const slot = await connect(`${place.role}_a`, "new-password-of-a-test", place.database);
    try {
      expect((await slot.query("SELECT session_user, current_user")).rows).toEqual([
        { session_user: `${place.role}_a`, current_user: place.role },
      ]);
    } finally {
      await slot.end();
    }
  });

  test.skipIf(missing).each([
    ["LOGIN", (sql: string) => sql.replace(" LOGIN", ""), "connect"],
    ["CREATEROLE", (sql: string) => sql.replace(" CREATEROLE", ""), "makes a login role: 42501"],
    ["CONNECT", (sql: string) => (/GRANT CONNECT/.test(sql) ? "" : sql), "connect"],
    ["rotation_audit_writer", (sql: string) => (/_audit_writer/.test(sql) ? "" : sql), "writes a row: 42501"],
  ])("without %s it is not", async (_, change, first) => {
    expect(await refused(await platform(change))).toContain(first);
  });
});

describe("deploy/sql: what the pipeline may do in PostgreSQL", () => {
  useServer(undefined);

  test.each([
    ["ADMIN", (sql: string) => sql.replace("ADMIN TRUE", "ADMIN FALSE"), "changes the password of the role: 42501"],
    ["INHERIT of the writer", (sql: string) => sql.replace("INHERIT TRUE", "INHERIT FALSE"), "writes a row: 42501"],
  ])("without %s it is not", async (_, change, first) => {
    expect(await refused(await platform(change))).toContain(first);
  });

  test("is no more than that: no data, no other role, no change of the log", async () => {
    const place = await platform();
    await admin.query("CREATE ROLE other LOGIN PASSWORD 'x'");
    const own = await connect(server.adminUser, server.adminPassword, place.database);
    await own.query(`CREATE TABLE orders (id int); ALTER TABLE orders OWNER TO ${place.role}`);
    await own.end();
    const client = await connect(PIPELINE, PASSWORD, place.database);
    try {
      for (const [sql, code] of Object.entries({
        "SELECT * FROM orders": "42501",
        [`SET ROLE ${place.role}`]: "42501",
        "ALTER ROLE other PASSWORD 'y'": "42501",
        "ALTER ROLE postgres PASSWORD 'y'": "42501",
        "CREATE ROLE root SUPERUSER": "42501",
        "DELETE FROM secret_rotation_login_watch": "42501",
        "UPDATE secret_rotation_login_watch SET watched_from = now()": "42501",
        "CREATE DATABASE more": "42501",
        "CREATE TABLE more (id int)": "42501",
        "SELECT rolpassword FROM pg_authid": "42501",
        "UPDATE secret_rotation_log SET reason = ''": "42501",
        "DELETE FROM secret_rotation_log": "42501",
        "TRUNCATE secret_rotation_log": "42501",
        "DROP TABLE secret_rotation_log": "42501",
        "ALTER TABLE secret_rotation_log DISABLE TRIGGER ALL": "42501",
        "SELECT prune_secret_rotation_log(now() - interval '3 years', 'me')": "42501",
        "SET ROLE rotation_audit_writer": "42501",
      })) {
        await expect(client.query(sql), sql).rejects.toMatchObject({ code });
      }
    } finally {
      await client.end();
    }
  });

  test("the preflight asks for it before anything is touched, and names the grant that is missing", async () => {
    const reference = (database: string) => ({
      host: server.host,
      port: server.port,
      database,
      sslmode: "disable" as const,
      user: PIPELINE,
    });
    process.env.PGPASSWORD = PASSWORD;
    try {
      const whole = await platform();
      expect(await checkDatabase(reference(whole.database), [whole.role])).toMatch(/^PostgreSQL \d+.*, rotation$/);
      expect(await checkAuditLog(reference(whole.database))).toBe("secret_rotation_log takes rows");
      await admin.query(`REVOKE ADMIN OPTION FOR ${whole.role} FROM ${PIPELINE}`);
      await expect(checkDatabase(reference(whole.database), [whole.role])).rejects.toThrow(
        `rotation may not change the role ${whole.role}: expected ADMIN on it (\`GRANT "${whole.role}" TO "rotation" WITH ADMIN TRUE`,
      );
    } finally {
      delete process.env.PGPASSWORD;
    }
  });
});

describe("deploy/sql/services.sql: what a service may do", () => {
  useServer(undefined);

  const work: Record<string, string> = {
    select: "SELECT * FROM orders",
    insert: "INSERT INTO orders (symbol) VALUES ('A')",
    update: "UPDATE orders SET symbol = 'B'",
    delete: "DELETE FROM orders",
    "insert into a table made later": "INSERT INTO fills (symbol) VALUES ('A')",
  };

  async function serviceRefused(change: Change = nothing): Promise<string[]> {
    const database = `d_${randomBytes(6).toString("hex")}`;
    databases.push(database);
    await admin.query("CREATE ROLE trader_owner; CREATE ROLE trader LOGIN PASSWORD 'x'");
    await admin.query(`CREATE DATABASE ${database}`);
    const own = await connect(server.adminUser, server.adminPassword, database);
    const table = (name: string) =>
      `SET ROLE trader_owner; CREATE TABLE ${name} (id serial PRIMARY KEY, symbol text); RESET ROLE`;
    try {
      await own.query(`GRANT CREATE ON SCHEMA public TO trader_owner; ${table("orders")}`);
      await run("services", own, { database, role: "trader", owner: "trader_owner" }, change);
      await own.query(table("fills"));
    } finally {
      await own.end();
    }
    let client: pg.Client;
    try {
      client = await connect("trader", "x", database);
    } catch {
      return ["connect"];
    }
    const failed: string[] = [];
    try {
      for (const [name, sql] of Object.entries(work)) await client.query(sql).catch(() => failed.push(name));
      for (const sql of ["DROP TABLE orders", "CREATE TABLE mine (id int)", "TRUNCATE orders"]) {
        await expect(client.query(sql), sql).rejects.toMatchObject({ code: "42501" });
      }
    } finally {
      await client.end();
    }
    return failed;
  }

  test("is enough to read and write rows, and no more", async () => {
    expect(await serviceRefused()).toEqual([]);
  });

  test.each([
    ["CONNECT", /GRANT CONNECT/, ["connect"]],
    ["the tables", /ALL TABLES/, ["select", "insert", "update", "delete"]],
    ["the sequences", /ALL SEQUENCES/, ["insert"]],
    ["the tables made later", /DELETE ON TABLES/, ["insert into a table made later"]],
    ["the sequences made later", /USAGE ON SEQUENCES/, ["insert into a table made later"]],
  ])("without the grant on %s it is not", async (_, leftOut, expected) => {
    expect(await serviceRefused((sql) => (leftOut.test(sql) ? "" : sql))).toEqual(expected);
  });

  test.each(["SELECT", "INSERT", "UPDATE", "DELETE"])("without %s it is not", async (word) => {
    const failed = await serviceRefused((sql) => sql.replace(new RegExp(`${word}, |, ${word}(?= ON)`), ""));
    expect(failed).toContain(word.toLowerCase());
  });
});
