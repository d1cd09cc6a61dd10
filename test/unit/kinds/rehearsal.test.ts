import { describe, expect, it } from "vitest";
import type { Config, PostgresPasswordConfig } from "../../../config";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import type { SecretState } from "../../../core/state";
import { readersOf } from "../../../kinds/own-password/readers";
import { postgresPassword } from "../../../kinds/postgres-password";
import { rehearsalOf } from "../../../kinds/postgres-password/rehearsal/rehearsal-of";
import { failureOf, waysOf } from "../../../kinds/postgres-password/rehearsal/ways";

const host = (address: string) => ({ address, port: 22, user: "deploy", hostKey: "ssh-ed25519 AAAA" });
const service = (hosts: readonly string[], connects?: object) =>
  ({
    hosts,
    health: "tcp://{address}:1",
    timeout: 1,
    ...(connects && { connects }),
  }) as unknown as Config["services"][string];
const hosts = { "app-1": host("10.0.0.1"), "app-2": host("10.0.0.2"), idle: host("10.0.0.3") };
const services = {
  signal: service(["app-1", "app-2"]),
  orders: service(["app-1"]),
  gateway: service(["app-1"], { paths: ["pgbouncer:6432"], tokenFile: "/run/token" }),
  reports: service([]),
  other: service(["idle"]),
};
const secret = {
  name: "database/password",
  role: "trader",
  strategy: "alternating-users",
  restart: ["signal", "orders", "gateway", "reports"],
} as unknown as PostgresPasswordConfig;

describe("the readers of a secret", () => {
  it("are its services by place, and those with the same way are one", () => {
    expect(readersOf(secret.restart, { services, hosts })).toEqual([
      {
        host: { name: "app-1", ...hosts["app-1"] },
        readers: [
          { services: ["signal", "orders"] },
          { services: ["gateway"], paths: ["pgbouncer:6432"], tokenFile: "/run/token" },
        ],
      },
      { host: { name: "app-2", ...hosts["app-2"] }, readers: [{ services: ["signal"] }] },
      { readers: [{ services: ["reports"] }] },
    ]);
  });

  it("have in the step's input what they need, and no more", () => {
    const platform = { services, hosts, privateKey: "key", store: { reference: { kind: "vault" } as never } };
    const local = { ...secret, restart: ["reports"] };
    expect(rehearsalOf(local, platform, "rollback", undefined)).toEqual({
      places: [{ readers: [{ services: ["reports"] }] }],
      owner: "trader",
      strict: false,
    });
    const old = { username: "trader_a", password: "x", entries: [] };
    const whole = rehearsalOf({ ...secret, format: undefined } as never, platform, "rotation", old);
    expect(whole).toMatchObject({ strict: true, privateKey: "key", old: { username: "trader_a", password: "x" } });
    expect(Object.keys(whole.old ?? {})).toEqual(["username", "password"]);
  });

  it("go over all paths, or those that the config names, with their own TLS", () => {
    const database = { host: "db", port: 5432, database: "trader", sslmode: "require" as const };
    const pgbouncer = { ...database, host: "pgbouncer", port: 6432, limit: 5, pooler: true };
    const given = { database, paths: [pgbouncer] } as never;
    const login = { username: "trader_b", password: "x" };
    expect(waysOf(given, { services: [] }, undefined).map(({ name, named }) => [name, named])).toEqual([
      ["primary", false],
      ["pgbouncer:6432", false],
    ]);
    const own = {
      services: [],
      paths: ["pgbouncer:6432"],
      sslmode: "verify-full",
      parameters: { search_path: "desk" },
    };
    const [way, ...more] = waysOf(given, own, "a certificate");
    expect(more).toEqual([]);
    expect(way).toMatchObject({ named: true, pooler: true, limit: 5 });
    expect(way?.config(login)).toMatchObject({
      ...{ user: "trader_b", password: "x", parameters: { search_path: "desk" } },
      ssl: { ca: ["a certificate"], rejectUnauthorized: true },
    });
  });

  it("fail in four ways", () => {
    const error = (code: string, message: string) => Object.assign(new Error(message), { code });
    expect(failureOf(error("28000", "no pg_hba.conf entry for host"))).toMatchObject({ why: "shut", isBusy: false });
    expect(failureOf(error("28P01", "password authentication failed"))).toMatchObject({ why: "refused" });
    expect(failureOf(error("ECONNREFUSED", "connect ECONNREFUSED"))).toMatchObject({ why: "unreached" });
    expect(failureOf(error("53300", "too many connections"))).toMatchObject({ why: "refused", isBusy: true });
  });
});

describe("whether an activation is rehearsed", () => {
  const next = (state: SecretState | undefined, days: number, rehearse: boolean) =>
    postgresPassword.rules(secret, { adopted: {}, preflight: { rehearse }, policy } as never, {}).next(state, {
      ...{ now: new Date(Date.UTC(2026, 0, 1) + days * 86_400_000), policy, request: undefined },
      ...{ begun: false, certain: false, hold: false },
    });

  it("is decided with it, and stays: a stack from before updates without a change", () => {
    const first = next(undefined, 0, true);
    expect(first.rehearses).toBe(true);
    expect(next(first, 1, false).rehearses).toBe(true);
    const { rehearses: _, ...before } = first;
    expect(next(before, 1, true)).toEqual({ ...before, ...next(before, 1, true) });
    expect(next(before, 1, true).rehearses).toBeUndefined();
    expect(next(before, 89, true).rehearses).toBe(true);
    expect(next(first, 89, false).rehearses).toBeUndefined();
  });
});
