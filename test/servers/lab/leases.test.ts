import { readFile } from "node:fs/promises";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Lab, startLab } from "../../../dev/lab/lab";
import { startLoad } from "../../../dev/lab/load";
import { poll } from "../../../dev/lab/poll";
import type { Health } from "../../../dev/lab/services/types";
import { creationStatements, renewStatements, revocationStatements } from "../../../kinds/vault-dynamic/statements";
import { openBaoPath } from "./tools";

let lab: Lab;
const POLICY = "signal-service-database";
const PATH = "database/creds/signal-service";

beforeAll(async () => {
  lab = await startLab({
    openbao: await openBaoPath(),
    services: [{ name: "signal-service", database: "database/password", lease: { path: PATH, policy: POLICY } }],
  });
  await connect();
});
afterAll(() => lab?.stop());

/** The engine with an administrator of least privilege: no superuser, an ADMIN of the owner role. */
async function connect(): Promise<void> {
  const { openbao, postgres } = lab;
  await postgres.query(`create role vault_admin login createrole password 'of-the-lab';
    grant trader to vault_admin with admin option; grant pg_signal_backend to vault_admin`);
  await openbao.request("POST", "sys/mounts/database", { type: "database" });
  await openbao.request("POST", "database/config/trader", {
    plugin_name: "postgresql-database-plugin",
    connection_url: `postgresql://{{username}}:{{password}}@${postgres.host}:${postgres.port}/trader?sslmode=disable`,
    username: "vault_admin",
    password: "of-the-lab",
    password_authentication: "scram-sha-256",
    allowed_roles: ["*"],
  });
}

/** Short leases, so that several end within seconds. */
const makeRole = (seconds: { ttl: number; max: number }) =>
  lab.openbao.request("POST", "database/roles/signal-service", {
    db_name: "trader",
    creation_statements: creationStatements("trader"),
    revocation_statements: revocationStatements(),
    renew_statements: renewStatements(),
    default_ttl: `${seconds.ttl}s`,
    max_ttl: `${seconds.max}s`,
  });

const login = async () => (await lab.health("signal-service")).database;

/** The next login whose name is not among those seen. */
const nextLogin = (seen: readonly string[]) =>
  poll(
    async () => {
      const found: Health = await lab.health("signal-service");
      const { database } = found;
      return found.status === "healthy" && database?.lease && !seen.includes(database.user) && database;
    },
    { what: `a login other than ${seen.join(", ")}`, limitMs: 60_000 },
  );

/** The login after a restart. */
async function restarted() {
  const before = await login();
  await lab.hosts[0]?.systemctl("restart", "signal-service");
  return nextLogin([before?.user ?? ""]);
}

const roles = async (): Promise<string[]> =>
  (await lab.postgres.query("select rolname from pg_roles where rolname like 'v-%'")).rows.map((row) => row.rolname);

test("works with its password until Vault issues a login, and then acts as the owner with it", async () => {
  expect(await login()).toMatchObject({ user: "trader", version: 1 });
  expect((await login())?.lease).toBeUndefined();
  await makeRole({ ttl: 8, max: 16 });
  const policy = `path "${PATH}" { capabilities = ["read"] }`;
  await lab.openbao.request("PUT", `sys/policies/acl/${POLICY}`, { policy });
  const found = await restarted();
  expect(found.user).toMatch(/^v-/);
  expect(found).toMatchObject({ role: "trader", lease: { id: expect.stringMatching(/^….{6}$/), ttl_seconds: 8 } });
});

test("objects made with a lease belong to the owner, and stay when the lease ends", async () => {
  const { data, lease_id } = await lab.openbao.request("GET", PATH);
  const { username, password } = data as { username: string; password: string };
  const { host, port, query } = lab.postgres;
  const client = new pg.Client({ host, port, database: "trader", user: username, password });
  client.on("error", () => undefined);
  await client.connect();
  await client.query(
    "create table fills (id int); insert into fills values (7); insert into positions values ('A', 1)",
  );
  const owner = "select tableowner from pg_tables where tablename = 'fills'";
  expect((await query(owner)).rows).toEqual([{ tableowner: "trader" }]);
  const until = "select rolvaliduntil > now() as ends from pg_roles where rolname = $1";
  expect((await query(until, [username])).rows).toEqual([{ ends: true }]);

  await lab.openbao.request("PUT", "sys/leases/revoke", { lease_id, sync: true });
  await expect(client.query("select 1")).rejects.toThrow();
  await client.end().catch(() => undefined);
  expect(await roles()).not.toContain(username);
  expect((await query("select id from fills")).rows).toEqual([{ id: 7 }]);
  expect((await query(owner)).rows).toEqual([{ tableowner: "trader" }]);
});

test("moves from login to login over several max_ttl, with every new login of the load let in", async () => {
  const load = await startLoad(lab, { loginsPerSecond: 30 });
  const seen = [(await nextLogin([])).user];
  const ends = new Set<string | undefined>();
  // Each is renewed before it is replaced.
  while (seen.length < 3 || ends.size <= seen.length) {
    const { user, lease } = await poll(
      async () => {
        const now = await nextLogin([]);
        return !ends.has(now.lease?.expires_at) && now;
      },
      { what: "a renewal or a new login", limitMs: 60_000 },
    );
    ends.add(lease?.expires_at);
    if (!seen.includes(user)) seen.push(user);
  }
  const { logins } = await load.stop({ logins: 50 });
  expect(logins.failures).toEqual([]);
  await poll(async () => !(await roles()).some((role) => seen.slice(0, 2).includes(role)), {
    what: "the ended logins dropped",
    limitMs: 30_000,
  });
});

test("recovers from a lease that was revoked from outside, and says so once in clear words", async () => {
  // A lease that was just taken: no other comes by itself meanwhile.
  const { user, lease } = await restarted();
  await lab.openbao.request("PUT", "sys/leases/revoke-prefix/database/creds/signal-service", { sync: true });
  const found = await nextLogin([user]);
  expect(found.lease?.id).not.toBe(lease?.id);
  const { logFile } = lab.service("signal-service");
  const text = await readFile(logFile, "utf8");
  expect(text).toMatch(/ERROR: the database lease ….{6} is lost \(revoked or expired\): fetching a new credential/);
  expect(text).not.toContain("of-the-lab");
});

test("keeps its lease while Vault is sealed, and goes on when it is open again", async () => {
  await makeRole({ ttl: 20, max: 60 });
  const { user } = await restarted();
  await lab.openbao.seal();
  expect(await lab.health("signal-service")).toMatchObject({ status: "healthy", database: { user } });
  await lab.openbao.unseal();
  expect(await lab.health("signal-service")).toMatchObject({ status: "healthy", database: { user } });
});

test("says which path issues no login any more, and is well again when it does", async () => {
  await makeRole({ ttl: 2, max: 4 });
  const { user } = await restarted();
  await lab.openbao.request("DELETE", "database/roles/signal-service");
  const ill = await poll(
    async () => {
      const health = await lab.health("signal-service");
      return health.status === "unhealthy" && /no login at/.test(health.error ?? "") && health;
    },
    { what: "an unhealthy service", limitMs: 60_000 },
  );
  expect(ill.error).toBe(
    `Vault issues no login at ${PATH} any more (no such role, or its policy is gone from the token of signal-service)`,
  );
  await makeRole({ ttl: 4, max: 10 });
  expect((await nextLogin([user])).user).toMatch(/^v-/);
});
