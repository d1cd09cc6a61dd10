import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { scramVerifier } from "../../../core/scram";
import { postgresqlProvider } from "../../../dev/toolchain/plugins/postgresql";
import type { Properties } from "../../../dev/toolchain/plugins/values";
import { type Resource, session } from "../../unit/contract/session";
import { recordedPostgres } from "./servers";

let live: Awaited<ReturnType<typeof recordedPostgres>>;

beforeAll(async () => {
  live = await recordedPostgres();
  await live.postgres.query("CREATE ROLE limited LOGIN CREATEROLE PASSWORD 'limited-pw'");
});
afterAll(async () => {
  await live?.stop();
});

/** Through the environment alone, as the program's provider is set up. */
async function roles(as: "superuser" | "limited" = "superuser"): Promise<(name: string) => Resource> {
  const { postgres } = live;
  const environment = {
    PGHOST: postgres.host,
    PGPORT: String(postgres.port),
    PGUSER: as === "limited" ? "limited" : postgres.adminUser,
    PGPASSWORD: as === "limited" ? "limited-pw" : postgres.adminPassword,
    PGSSLMODE: "disable",
  };
  const config: Properties = as === "limited" ? { superuser: "false" } : {};
  const { resource } = await session("postgresql", postgresqlProvider(environment), config);
  return (name) => resource("postgresql:index/role:Role", name);
}

async function stored(name: string): Promise<Record<string, unknown> | undefined> {
  const columns = "rolpassword, rolconnlimit, rolcanlogin, rolvaliduntil::text AS until";
  const { rows } = await live.postgres.query(`SELECT ${columns} FROM pg_authid WHERE rolname = $1`, [name]);
  return rows[0];
}

describe.each(["superuser", "limited"] as const)("as %s", (as) => {
  test("a role is created, changed and dropped", async () => {
    const name = `life_${as}`;
    const role = (await roles(as))(name);
    const { id, state } = await role.create({ name, login: true, password: "p1", searchPaths: ["app", "public"] });
    expect(id).toBe(name);
    expect(state).toMatchObject({ login: true, searchPaths: ["app", "public"], superuser: false });
    const after = await role.update(id, state, { name, login: false, password: "p1", statementTimeout: 2000 });
    expect(after).toMatchObject({ login: false, searchPaths: [], statementTimeout: 2000 });
    expect((await role.read(id, after, {})).properties).toMatchObject({ login: false, searchPaths: [] });
    await role.delete(id, after);
    expect(await stored(name)).toBeUndefined();
    expect(await role.read(id, after, {})).toEqual({});
  });

  test("a verifier is stored as it is, and opens the door to the password it was made from", async () => {
    const name = `scram_${as}`;
    const password = "the-plain-password";
    const verifier = scramVerifier(password, Buffer.alloc(16, 7).toString("base64"));
    const role = (await roles(as))(name);
    const { id, state } = await role.create({ name, login: true, password: verifier });
    expect((await stored(name))?.rolpassword).toBe(verifier);
    await live.postgres.session((client) => client.query("SELECT 1"), { user: name, password });
    expect(await role.diff(id, state, { name, login: true, password: verifier })).toMatchObject({
      changes: "DIFF_NONE",
    });
    await role.delete(id, state);
  });
});

test("what the program ignores is left alone, also when it changed behind its back", async () => {
  await live.postgres.query("CREATE ROLE adopted LOGIN CONNECTION LIMIT 7 VALID UNTIL '2031-05-05'");
  const role = (await roles())("adopted");
  const found = await role.read("adopted");
  expect(found.inputs).toMatchObject({ name: "adopted", login: true, connectionLimit: 7 });
  const ignored = ["connectionLimit", "validUntil"];
  const inputs = { name: "adopted", login: true, password: "p2", skipDropRole: true };
  const diff = await role.diff("adopted", found.properties as never, inputs, ignored);
  expect(diff.diffs).toEqual(["password", "skipDropRole"]);
  await live.postgres.query("ALTER ROLE adopted CONNECTION LIMIT 9");
  await role.update("adopted", found.properties as never, inputs, ignored);
  const now = await stored("adopted");
  expect(now).toMatchObject({ rolconnlimit: 9, rolcanlogin: true });
  expect(now?.until).toMatch(/^2031-05-05/);
  expect(now?.rolpassword).toMatch(/^SCRAM-SHA-256\$/);
});

test("an import of a role that is not there finds nothing", async () => {
  expect(await (await roles())("missing").read("missing")).toEqual({});
});

test("a role to be kept is not dropped, and one that is gone already is an error", async () => {
  const role = (await roles())("kept");
  const { id, state } = await role.create({ name: "kept", login: true, skipDropRole: true, skipReassignOwned: true });
  await role.delete(id, state);
  expect(await stored("kept")).toBeDefined();
  const gone = await role.delete("never_was", { name: "never_was", skipReassignOwned: true }).catch(String);
  expect(gone).toContain('could not delete role never_was: pq: role "never_was" does not exist (42704)');
});

describe("every update of a role, as unkind as the real plugin's", () => {
  const memberships = async (name: string) => {
    const { rows } = await live.postgres.query(
      `SELECT g.rolname AS role, admin_option AS admin FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid
       JOIN pg_roles m ON m.oid = a.member WHERE m.rolname = $1 ORDER BY 1`,
      [name],
    );
    return rows.map(({ role, admin }) => [role, admin]);
  };
  const others = ["roles", "searchPaths", "statementTimeout"];

  test("revokes all memberships and grants those of the state, and sets search_path to the state's", async () => {
    await live.postgres.query(
      "CREATE ROLE readers; CREATE ROLE writers; CREATE ROLE rough LOGIN; GRANT readers TO rough",
    );
    const role = (await roles())("rough");
    const { properties } = await role.read("rough");
    await live.postgres.query(
      "GRANT readers TO rough WITH ADMIN OPTION; GRANT writers TO rough; ALTER ROLE rough SET search_path TO app, public",
    );
    const state = { ...(properties as Properties), password: null };
    await role.update("rough", state, { name: "rough", login: true, password: "p2" }, others);
    expect(await memberships("rough")).toEqual([["readers", false]]);
    const { rows } = await live.postgres.query("SELECT rolconfig FROM pg_roles WHERE rolname = 'rough'");
    expect(rows[0]?.rolconfig).toBeNull();
  });

  test("fails if the login may not revoke one of them, and changes nothing then", async () => {
    await live.postgres.query(
      "CREATE ROLE auditors; CREATE ROLE narrow; GRANT auditors TO narrow; GRANT narrow TO limited WITH ADMIN OPTION",
    );
    const role = (await roles("limited"))("narrow");
    const { properties } = await role.read("narrow");
    const attempt = role.update("narrow", properties as Properties, { name: "narrow", login: true }, others);
    expect(await attempt.catch(String)).toContain("could not revoke role auditors from narrow: pq: permission denied");
    expect((await stored("narrow"))?.rolcanlogin).toBe(false);
  });

  test("is committed before the role is read, which fails if a timeout has a unit", async () => {
    await live.postgres.query("CREATE ROLE timed LOGIN");
    const role = (await roles())("timed");
    const { properties } = await role.read("timed");
    await live.postgres.query("ALTER ROLE timed SET statement_timeout = '29s'");
    const attempt = role.update("timed", properties as Properties, { name: "timed", login: true, connectionLimit: 3 });
    const says = 'error reading statement_timeout: strconv.Atoi: parsing "29s": invalid syntax';
    expect(await attempt.catch(String)).toContain(says);
    expect((await stored("timed"))?.rolconnlimit).toBe(3);
    expect(await role.read("timed").catch(String)).toContain(says);
    await live.postgres.query("ALTER ROLE timed SET statement_timeout = 29000");
    expect((await role.read("timed")).properties).toMatchObject({ statementTimeout: 29000 });
  });
});

test("names and passwords with quotes are quoted", async () => {
  const name = "odd\"na'me";
  const role = (await roles())("odd");
  const { id, state } = await role.create({
    name,
    login: true,
    password: "p'); DROP ROLE trader; --",
    assumeRole: "trader",
  });
  expect(state.assumeRole).toBe("trader");
  expect(await stored("trader")).toBeDefined();
  await role.delete(id, state);
});

test("a failure says what was attempted and holds no password", async () => {
  const role = (await roles("limited"))("trader");
  const attempt = role.create({ name: "trader", login: true, password: "very-secret-password" });
  const error = await attempt.then(String, (reason: unknown) => String(reason));
  expect(error).toContain('error creating role trader: pq: role "trader" already exists (42710)');
  expect(error).not.toContain("very-secret");
});

test("a server that is not there is named, and the password is not", async () => {
  const environment = { PGHOST: "127.0.0.1", PGPORT: "1", PGPASSWORD: "very-secret", PGSSLMODE: "disable" };
  const { resource } = await session("postgresql", postgresqlProvider(environment), {});
  const error = await resource("postgresql:index/role:Role").read("x").catch(String);
  expect(error).toContain("error connecting to PostgreSQL server 127.0.0.1");
  expect(error).not.toContain("very-secret");
});

test("nothing of the environment gets into the provider's inputs", async () => {
  const { client } = await session("postgresql", postgresqlProvider({ PGHOST: "h", PGPASSWORD: "very-secret" }));
  const { response } = await client.ask({ method: "CheckConfig", request: { news: { version: "3.18.1" } } });
  expect(response).toEqual({ inputs: { version: "3.18.1" } });
});

test("a missing name is made from the resource's and stays", async () => {
  const role = (await roles())("app");
  const first = (await role.check({ login: true })).inputs as { name: string; __defaults: string[] };
  expect(first.name).toMatch(/^app-[0-9a-f]{7}$/);
  expect(first.__defaults).toContain("name");
  expect((await role.check({ login: true }, first)).inputs).toEqual(first);
});

test("privileges on schemas and tables are granted and revoked", async () => {
  await live.postgres.query("CREATE ROLE reader LOGIN; CREATE TABLE bars (id int)");
  const environment = { PGHOST: live.postgres.host, PGPORT: String(live.postgres.port), PGSSLMODE: "disable" };
  const config = { username: live.postgres.adminUser, password: live.postgres.adminPassword };
  const { resource } = await session("postgresql", postgresqlProvider(environment), config);
  const may = async (what: string, privilege: string) =>
    (
      await live.postgres.query(`SELECT has_${what}_privilege('reader', $1, $2) AS ok`, [
        what === "table" ? "bars" : "public",
        privilege,
      ])
    ).rows[0].ok as boolean;

  const table = resource("postgresql:index/grant:Grant", "table");
  const onTable = { database: "trader", objectType: "table", schema: "public", objects: ["bars"], role: "reader" };
  const made = await table.create({ ...onTable, privileges: ["SELECT", "INSERT"] });
  expect(made.id).toBe("reader_trader_public_table_bars");
  expect([await may("table", "SELECT"), await may("table", "INSERT")]).toEqual([true, true]);
  await table.update(made.id, made.state, { ...onTable, privileges: ["SELECT"] });
  expect([await may("table", "SELECT"), await may("table", "INSERT")]).toEqual([true, false]);
  await table.delete(made.id, made.state);
  expect(await may("table", "SELECT")).toBe(false);

  const schema = resource("postgresql:index/grant:Grant", "schema");
  const inputs = { database: "trader", objectType: "schema", schema: "public", role: "reader", privileges: ["CREATE"] };
  const granted = await schema.create(inputs);
  expect(await may("schema", "CREATE")).toBe(true);
  await live.postgres.query("REVOKE CREATE ON SCHEMA public FROM reader");
  const drifted = (await schema.read(granted.id, granted.state, granted.inputs)).properties;
  expect((await schema.diff(granted.id, drifted as never, inputs)).diffs).toEqual(["privileges"]);
});
