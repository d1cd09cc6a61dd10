import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { nextState } from "../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import type { SecretState } from "../../../core/state";
import { PostgresPassword } from "../../../kinds/postgres-password/component";
import { platformOf, service } from "./platform";
import { declare, inputOf, order } from "./strict-mocks";

const host = { address: "10.0.0.5", port: 22, user: "deploy", hostKey: "ssh-ed25519 AAAA" };
const pooler = { console: "admin", userlist: { file: "/etc/pgbouncer/userlist.txt", hosts: ["pooler-1"], sudo: true } };
const paths = [
  { address: "replica:5432", limit: 60_000 as never },
  { address: "pgbouncer:6432", limit: 5000 as never, pooler },
];
const first = nextState(undefined, { now: new Date("2026-11-23T02:00:00Z"), policy, hasAdopted: true });
const second = nextState(first, { now: new Date("2027-02-20T02:00:00Z"), policy, hasAdopted: true });

const resources = (state: SecretState, strategy: "single-user" | "alternating-users" = "alternating-users") =>
  declare(() => {
    const platform = platformOf({
      services: { "signal-service": service() },
      hosts: { "pooler-1": host },
      privateKey: pulumi.secret("key"),
      rehearse: true,
    });
    const config = {
      ...({ kind: "postgres-password", name: "database/password", strategy, role: "trader", paths } as const),
      database: { host: "db", port: 5432, name: "trader", sslmode: "require" } as const,
      restart: ["signal-service"],
    };
    const adopted = pulumi.secret("old");
    const given = { config, state, acts: true, force: false, policy, platform, adopted, left: [] };
    return new PostgresPassword("database-password", given).state;
  });

describe("PostgresPassword over paths", () => {
  it("lists the login before it is proven and the store written, and renews connections after the restarts", async () => {
    const declared = order(await resources(second)).map((name) => name.replace("database-password-", ""));
    const inOrder = [
      ...["login-a-set", "pooler-users", "verify-login", "database-username", "restart-signal-service"],
      ...["pooler-reconnect", "confirm-login", "login-b-set", "pooler-users-settle"],
    ];
    const places = inOrder.map((name) => declared.indexOf(name));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places).not.toContain(-1);
  });

  it("gives the steps what they need, and no more", async () => {
    const all = await resources(second);
    const reach = { database: "trader", sslmode: "require" };
    const way = { host: "pgbouncer", port: 6432, ...reach, console: "admin" };
    const list = {
      pooler: way,
      file: "/etc/pgbouncer/userlist.txt",
      sudo: true,
      hosts: [{ name: "pooler-1", ...host }],
    };
    expect(inputOf(all, "database-password-pooler-users")).toMatchObject({
      lists: [list],
      privateKey: "key",
      login: { username: "trader_a", adopted: false },
      remove: [],
    });
    expect(inputOf(all, "database-password-pooler-users-settle")).toMatchObject({ lists: [list], remove: ["trader"] });
    expect(inputOf(all, "database-password-pooler-reconnect")).toEqual({ poolers: [way] });
    const proven = [
      { host: "replica", port: 5432, ...reach, limit: 60_000, pooler: false },
      { ...way, limit: 5000, pooler: true },
    ];
    for (const step of ["verify-login", "confirm-login"])
      expect(inputOf(all, `database-password-${step}`)).toMatchObject({
        paths: proven,
        restore: { database: { host: "db", ...reach }, owner: "trader", as: "scram" },
      });
  });

  it("rehearses an activation that says so, with both logins, and runs without it if only the input changes", async () => {
    const all = await resources({ ...second, rehearses: true });
    expect(inputOf(all, "database-password-verify-login").rehearsal).toEqual({
      places: [{ readers: [{ services: ["signal-service"] }] }],
      owner: "trader",
      strict: true,
      old: { username: "trader_b", password: expect.any(String) },
    });
    const update = (name: string) => all.find((one) => one.name === name)?.inputs.update;
    expect(update("database-password-verify-login")).toBe("node dist/steps/verify-login.mjs again");
    expect(update("database-password-confirm-login")).toBeUndefined();
    expect(inputOf(all, "database-password-confirm-login")).not.toHaveProperty("rehearsal");
    expect(inputOf(await resources(second), "database-password-verify-login")).not.toHaveProperty("rehearsal");
    const alone = await resources({ ...second, rehearses: true }, "single-user");
    expect(inputOf(alone, "database-password-verify-login")).not.toHaveProperty("rehearsal");
    expect(inputOf(alone, "database-password-preflight-checks").database.places).toHaveLength(1);
  });

  it("takes what has ended from the list: the previous login once it is revoked, and nothing of a single user", async () => {
    const revoked = { ...second, revoked: true };
    const removed = async (...given: Parameters<typeof resources>) =>
      (inputOf(await resources(...given), "database-password-pooler-users-settle") as { remove: string[] }).remove;
    expect(await removed(revoked)).toEqual(["trader_b", "trader"]);
    expect(await removed({ ...first, revoked: true })).toEqual(["trader_a"]);
    expect(await removed(revoked, "single-user")).toEqual([]);
  });
});
