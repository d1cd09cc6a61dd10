import { describe, expect, it } from "vitest";
import type { Vault } from "../../../clients/vault";
import { StepError } from "../../../core/errors";
import { lackingCapabilities, type Needs } from "../../../core/vault-needs";
import { checkLeases, type LeasesInput, leaseChecks } from "../../../kinds/vault-dynamic/preflight";
import { MOUNT_DESCRIPTION } from "../../../kinds/vault-engine/engine";
import { checkVaultRole, type VaultRoleInput, vaultRoleChecks } from "../../../kinds/vault-static/preflight";

const ALL = ["create", "read", "update", "delete", "list", "sudo"];

/** A Vault that has this at these paths, or answers with a status; the token may do everything but what is listed by path. */
function vaultWith(held: Readonly<Record<string, unknown>>, may: Readonly<Record<string, readonly string[]>> = {}) {
  const asked: string[] = [];
  const client = {
    get: async (path: string, query: Readonly<Record<string, string>> = {}, absent: readonly number[] = [404]) => {
      const at = "help" in query ? `${path}?help=${query.help}` : path;
      asked.push(at);
      const found = held[at] ?? 404;
      if (typeof found !== "number") return found;
      if (absent.includes(found)) return undefined;
      throw new StepError(`HTTP ${found}`);
    },
    mayDo: async (needs: Needs) => {
      const has = Object.fromEntries(Object.keys(needs).map((path) => [path, may[path] ?? ALL]));
      const lacking = lackingCapabilities(needs, has);
      if (lacking !== undefined) throw new StepError(lacking);
      return "";
    },
  };
  return Object.assign(client as unknown as Vault, { asked });
}

const connection = {
  name: "trading",
  username: "vault_admin",
  url: "postgresql://{{username}}:{{password}}@db:5432/trading?sslmode=require",
  roles: ["trader-api", "trader-report"],
};
const engine = { mount: "database", createMount: true, connection };
const database = { host: "db", port: 5432, database: "trading", user: "admin", role: "trader" } as never;
const leases = (more: Partial<LeasesInput> = {}): LeasesInput => ({
  engine,
  roles: ["trader-api", "trader-report"],
  database,
  taken: false,
  ...more,
});
const role = (more: Partial<VaultRoleInput> = {}): VaultRoleInput => ({
  mount: "database",
  name: "trader",
  engine,
  schedule: false,
  database,
  taken: false,
  ...more,
});

/** A connection as Vault shows it. */
const shown = (more: object = {}, allowed: unknown = ["trader-api"]) => ({
  data: {
    allowed_roles: allowed,
    connection_details: { username: connection.username, connection_url: connection.url, ...more },
  },
});
const CONFIG = "database/config/trading";
const API = "database/roles/trader-api";
const REPORT = "database/roles/trader-report";

describe("the preflight of short-lived logins", () => {
  it("names what will be made, and asks nothing of a mount that the config says is there", async () => {
    const empty = vaultWith({});
    expect(await checkLeases(empty, leases())).toBe(
      "database/creds/trader-api, database/creds/trader-report will be made",
    );
    expect(empty.asked).toEqual(["sys/mounts/database", CONFIG, API, REPORT]);
    const given = vaultWith({ "sys/mounts/database": { type: "kv" } });
    await checkLeases(given, leases({ engine: { ...engine, createMount: false } }));
    expect(given.asked).not.toContain("sys/mounts/database");
  });

  it("finds the roles of an earlier update, and whose the engine is does not matter any more", async () => {
    const held = { [API]: { data: {} }, [REPORT]: { data: {} }, "sys/mounts/database": { type: "kv" } };
    expect(await checkLeases(vaultWith(held), leases({ taken: true }))).toBe(
      "database/creds/trader-api, database/creds/trader-report",
    );
    await expect(checkLeases(vaultWith({ [API]: {} }), leases({ taken: true }))).rejects.toThrow(
      new StepError("Vault has no role database/roles/trader-report any more: `pulumi up --refresh` makes it"),
    );
    await expect(checkLeases(vaultWith({}), leases({ taken: true }))).rejects.toThrow(`${API}, ${REPORT} any more`);
  });

  it.each<[path: string, missing: string, has: string[]]>([
    ["sys/mounts/database", "create, read, update", []],
    [CONFIG, "create, read, update", []],
    [API, "update", ["create", "read"]],
    [REPORT, "create, read, update", ["list"]],
    ["database/creds/trader-api", "read", ["update"]],
    ["sys/leases/lookup/database/creds/trader-report/", "sudo", ["list"]],
    ["sys/leases/lookup/database/creds/trader-api/", "list", ["sudo"]],
    ["sys/leases/lookup", "update", []],
    ["sys/leases/revoke", "update", ["read"]],
  ])("refuses a token that may not do everything with %s", async (path, missing, has) => {
    const asked = checkLeases(vaultWith({}, { [path]: has }), leases());
    await expect(asked).rejects.toThrow(`the token may not ${missing} ${path} (it has: ${has[0] ?? "nothing"}`);
  });

  it("needs no right on a mount that it does not make", async () => {
    const given = leases({ engine: { ...engine, createMount: false } });
    const vault = vaultWith({}, { "sys/mounts/database": [] });
    await expect(checkLeases(vault, given)).resolves.toContain("will be made");
  });

  it("asks the store first, then the engine; the owner needs neither", () => {
    const { isStored, checks } = leaseChecks.of(leases(), {} as never);
    expect(isStored).toBe(false);
    expect(checks.map(({ name, needs }) => [name, needs])).toEqual([
      ["database engine", ["store"]],
      ["owner role", undefined],
    ]);
  });
});

describe("an engine that is there already", () => {
  const check = (held: Record<string, unknown>) => checkLeases(vaultWith(held), leases());

  it.each([
    ["the mount is of this program", { "sys/mounts/database": { type: "database", description: MOUNT_DESCRIPTION } }],
    ["Vault says it in `data`", { "sys/mounts/database": { data: { description: MOUNT_DESCRIPTION } } }],
    ["the connection is as ours would be", { [CONFIG]: shown() }],
    ["the connection lets in all of our roles", { [CONFIG]: shown({}, connection.roles) }],
    ["the connection lets in none yet", { [CONFIG]: shown({}, null) }],
    ["Vault refuses to describe what is not mounted", { "sys/mounts/database": 400 }],
  ])("is taken where %s", async (_, held) => {
    await expect(check(held)).resolves.toContain("will be made");
  });

  it.each<[what: string, held: Record<string, unknown>, says: string]>([
    [
      "somebody else's database engine",
      { "sys/mounts/database": { type: "database", description: "of the platform" } },
      "the mount database exists already and this program did not make it: to use it as it is, set vault.createMount: false",
    ],
    [
      "another engine",
      { "sys/mounts/database": { data: { type: "kv", description: "" } } },
      "expected no mount database, or one of the database engine; found one of kv: name another in vault.mount",
    ],
    ["another login", { [CONFIG]: shown({ username: "other" }) }, "(it logs in as other)"],
    ["a login that is not shown", { [CONFIG]: shown({ username: undefined }) }, "(it logs in as another user)"],
    [
      "another database",
      { [CONFIG]: shown({ connection_url: "postgresql://elsewhere" }) },
      "(it names another database)",
    ],
    [
      "roles of others",
      { [CONFIG]: shown({}, ["trader-api", "billing", "*"]) },
      "the connection database/config/trading exists already and is another (it allows billing, *), and would be " +
        "overwritten: name another in vault.connection",
    ],
    [
      "nothing of what ours has",
      { [CONFIG]: { data: { allowed_roles: ["x"] } } },
      "(it logs in as another user; it names another database; it allows x)",
    ],
  ])("is refused where it is %s", async (_, held, says) => {
    await expect(check(held)).rejects.toThrow(says);
  });
});

describe("the preflight of a password that Vault rotates", () => {
  const ROLE = "database/static-roles/trader";
  const rotated = { [ROLE]: { data: { username: "trader", last_vault_rotation: "2026-11-23T02:00:00Z" } } };
  const help = (...properties: (object | undefined)[]) => ({
    [`${ROLE}?help=1`]: {
      openapi: { components: { schemas: Object.fromEntries(properties.map((one, i) => [i, { properties: one }])) } },
    },
  });

  it("says when Vault rotated it last, or that it will be made", async () => {
    expect(await checkVaultRole(vaultWith({}), role())).toBe("database/static-roles/trader will be made");
    const said = "Vault rotated it last at 2026-11-23T02:00:00Z";
    expect(await checkVaultRole(vaultWith(rotated), role())).toBe(said);
    expect(await checkVaultRole(vaultWith(rotated), role({ taken: true }))).toBe(said);
  });

  it("asks for the role before its login", () => {
    const { isStored, checks } = vaultRoleChecks.of(role(), {} as never);
    expect(isStored).toBe(false);
    expect(checks.map(({ name, needs }) => [name, needs])).toEqual([
      ["role in Vault", ["store"]],
      ["login from Vault", ["role in Vault"]],
    ]);
  });

  it("looks whose the engine is only before an earlier update made the role", async () => {
    const held = { ...rotated, [CONFIG]: shown({ username: "other" }) };
    await expect(checkVaultRole(vaultWith(held), role())).rejects.toThrow("it logs in as other");
    await expect(checkVaultRole(vaultWith(held), role({ taken: true }))).resolves.toContain("rotated it last");
  });

  it("misses a role that an earlier update made", async () => {
    await expect(checkVaultRole(vaultWith({}), role({ taken: true }))).rejects.toThrow(
      new StepError("Vault has no static role database/static-roles/trader any more: `pulumi up --refresh` makes it"),
    );
  });

  it.each<[path: string, missing: string]>([
    ["sys/mounts/database", "create, read, update"],
    [CONFIG, "create, read, update"],
    [ROLE, "create, read, update"],
    ["database/static-creds/trader", "read"],
    ["database/rotate-role/trader", "update"],
  ])("refuses a token that may do nothing with %s", async (path, missing) => {
    const asked = checkVaultRole(vaultWith({}, { [path]: [] }), role());
    await expect(asked).rejects.toThrow(`the token may not ${missing} ${path} (it has: nothing)`);
  });

  it("refuses a schedule on a server that describes its roles without one", async () => {
    const old = vaultWith(help(undefined, { rotation_period: {} }));
    await expect(checkVaultRole(old, role({ schedule: true }))).rejects.toThrow(
      new StepError(
        "this server has no schedules (OpenBao, and Vault before 1.15): set rotationPeriod instead of rotationSchedule",
      ),
    );
    await expect(checkVaultRole(old, role())).resolves.toContain("will be made");
    const fit = vaultWith(help({ rotation_period: {} }, { rotation_schedule: {} }));
    await expect(checkVaultRole(fit, role({ schedule: true }))).resolves.toContain("will be made");
    const silent = [{}, { [`${ROLE}?help=1`]: {} }, { [`${ROLE}?help=1`]: { openapi: { components: {} } } }, help()];
    for (const held of [...silent, { [`${ROLE}?help=1`]: { openapi: {} } }])
      await expect(checkVaultRole(vaultWith(held), role({ schedule: true }))).resolves.toContain("will be made");
  });
});
