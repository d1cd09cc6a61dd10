import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type { Platform } from "../../../components/platform";
import { StackStore } from "../../../components/stack-store";
import type { PostgresPasswordConfig } from "../../../config";
import { nextState } from "../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import { derivedSalt } from "../../../core/scram";
import type { SecretState } from "../../../core/state";
import { PostgresPassword } from "../../../kinds/postgres-password/component";
import { type Declared, declare, inputOf, moved, namedIn, order } from "./strict-mocks";

const service = (hosts: string[]) => ({ hosts, health: "http://localhost:8000/health", timeout: 60_000 as never });
const host = (address: string) => ({ address, port: 22, user: "deploy", hostKey: `ssh-ed25519 ${address}` });
const config = (strategy: PostgresPasswordConfig["strategy"]): PostgresPasswordConfig => ({
  kind: "postgres-password",
  name: "database/password",
  strategy,
  database: { host: "db", port: 5432, name: "trader", sslmode: "require" },
  role: "trader",
  restart: ["signal-service", "orchestrator"],
});

const now = new Date("2026-11-23T02:00:00Z");
const later = new Date("2027-02-20T02:00:00Z");
const first = nextState(undefined, { now, policy, hasAdopted: true });
const second = nextState(first, { now: later, policy, hasAdopted: true });

function resources(
  strategy: PostgresPasswordConfig["strategy"],
  state: SecretState,
  adopted: string | null = "old",
  left: readonly string[] = [],
  acts = true,
): Promise<Declared[]> {
  return declare(() => {
    const platform: Platform = {
      secrets: [],
      store: new StackStore({ kind: "vault", mount: "secret", environment: "paper" }),
      services: { "signal-service": service(["app-1", "app-2"]), orchestrator: service([]) },
      hosts: { "app-1": host("10.0.0.1"), "app-2": host("10.0.0.2"), unused: host("10.0.0.9") },
      privateKey: pulumi.secret("key"),
      marketClock: { baseUrl: "https://paper-api.alpaca.markets", keyIdPath: "a", secretKeyPath: "b" },
      allowOpenMarket: false,
      notice: undefined,
      audit: { connection: { host: "db" }, stack: "paper", environment: "paper" },
      clock: undefined,
      planBasis: [],
    };
    const given = {
      config: config(strategy),
      state,
      acts,
      force: false,
      policy,
      platform,
      adopted: adopted === null ? undefined : pulumi.secret(adopted),
      left,
    };
    return new PostgresPassword("database-password", given).state;
  });
}

const valuesOf = (entries: { value: string }[]) => entries.map(({ value }) => value);
const ofType = (all: Declared[], type: string) => all.filter((resource) => resource.type === type);

describe("PostgresPassword with alternating users", () => {
  it("declares exactly this, in the order in which it happens", async () => {
    // A slot's salt and its password do not wait for each other.
    const declared = order(await resources("alternating-users", second));
    const salts = ["database-password-slot-b-salt", "database-password-slot-a-salt"];
    expect(declared.filter((name) => name.endsWith("-salt"))).toEqual(salts);
    expect(declared.filter((name) => !name.endsWith("-salt"))).toEqual([
      "database-password-slot-b-password",
      "database-password-preflight-checks",
      "database-password-slot-a-password",
      "database-password-store-unchanged",
      "database-password-role-a",
      "database-password-copy-role",
      "database-password-login-a-set",
      "database-password-verify-login",
      "database-password-database-username",
      "database-password-database-password",
      "database-password-restart-signal-service-app-1",
      "database-password-restart-signal-service-app-2",
      "database-password-restart-orchestrator",
      "database-password-confirm-login",
      "database-password-login-set",
      "database-password-role-b",
      "database-password-login-b-set",
      "database-password-database-username-metadata",
      "database-password-database-password-metadata",
      "database-password-audit-history",
      "database-password-audit-row",
    ]);
  });

  it("keeps the previous role through the grace period and ends it after that", async () => {
    const logins = async (state: SecretState) => {
      const all = await resources("alternating-users", state);
      const steps = ["login", "login-a", "login-b"].map((name) => inputOf(all, `database-password-${name}-set`));
      const said = ofType(all, "secret-rotation:index:LoginRole").map(({ inputs }) => [inputs.role, inputs.login]);
      expect(Object.fromEntries(said)).toEqual(Object.fromEntries(steps.map(({ role, login }) => [role, login])));
      return Object.fromEntries(said);
    };
    expect(await logins(first)).toEqual({ trader: true, trader_a: false, trader_b: true });
    expect(await logins({ ...first, revoked: true })).toEqual({ trader: false, trader_a: false, trader_b: true });
    expect(await logins(second)).toEqual({ trader: false, trader_a: true, trader_b: true });
    expect(await logins({ ...second, revoked: true })).toEqual({ trader: false, trader_a: true, trader_b: false });
  });

  it("takes over the owner, and those login roles alone that are there without the stack's knowing", async () => {
    const taken = async (left: readonly string[]) => {
      const roles = ofType(await resources("alternating-users", first, "old", left), "postgresql:index/role:Role");
      return roles.flatMap(({ imported }) => imported ?? []);
    };
    expect(await taken([])).toEqual([]);
    expect(await taken(["trader_b"])).toEqual(["trader_b"]);
    expect(await taken(["trader_a", "trader_b"])).toEqual(["trader_b", "trader_a"]);
  });

  it("leaves the owner to itself: it is no resource, and a step knows of its login alone", async () => {
    const all = await resources("alternating-users", second);
    expect(ofType(all, "postgresql:index/role:Role").map(({ inputs }) => inputs.name)).toEqual([
      "trader_a",
      "trader_b",
    ]);
    const owner = inputOf(all, "database-password-login-set");
    expect(owner).toEqual({ database: owner.database, role: "trader", login: false });
  });

  it("has the plugin make a login role with nothing that it would have to change later", async () => {
    const all = await resources("alternating-users", second);
    for (const { inputs } of ofType(all, "postgresql:index/role:Role")) {
      expect(inputs).not.toHaveProperty("password");
      expect(inputs).toMatchObject({ login: false, roles: ["trader"], assumeRole: "trader" });
    }
  });

  it("makes the next login the equal of the one in use before anybody logs in with it", async () => {
    const copy = async (state: SecretState, acts = true) =>
      inputOf(await resources("alternating-users", state, "old", [], acts), "database-password-copy-role");
    expect(await copy(first)).toMatchObject({ owner: "trader", from: "trader", to: "trader_b", acts: true });
    expect(await copy(second)).toMatchObject({ owner: "trader", from: "trader_b", to: "trader_a", acts: true });
    expect(await copy(second, false)).toMatchObject({ acts: false });
    const preflight = inputOf(await resources("alternating-users", second), "database-password-preflight-checks");
    expect(preflight.database.logins).toEqual({
      owner: "trader",
      from: "trader_b",
      to: "trader_a",
      ours: ["trader_a", "trader_b"],
      adopting: false,
      maxAge: policy.maxAge,
    });
  });

  it("writes username and password with the generation that makes them a pair", async () => {
    const all = await resources("alternating-users", second);
    const [a, b] = ["a", "b"].map((slot) => `password of database-password-slot-${slot}-password`);
    const pair = { generation: 2, slot: 0 };
    const common = { pair, force: false, activation: "2", store: { kind: "vault", mount: "secret" } };
    expect(inputOf(all, "database-password-database-username")).toMatchObject({
      entry: { path: "database/username", value: "trader_a", public: true },
      // The platform's own role may stand there by hand, and a login role from before.
      known: ["trader", "trader_a", "trader_b"].map((value) => ({ path: "database/username", value, public: true })),
      ...common,
    });
    expect(inputOf(all, "database-password-database-password")).toMatchObject({
      entry: { path: "database/password", value: a },
      known: [b, a].map((value) => ({ path: "database/password", value })),
      ...common,
    });
  });

  it("returns to the adopted role and its own password", async () => {
    const back = nextState(first, {
      now,
      policy,
      hasAdopted: true,
      request: { id: "r", secret: "database/password", activate: 0, reason: "x" },
    });
    const all = await resources("alternating-users", back);
    expect(order(all).indexOf("database-password-login-set")).toBeLessThan(
      order(all).indexOf("database-password-verify-login"),
    );
    expect(inputOf(all, "database-password-verify-login")).toMatchObject({ username: "trader", password: "old" });
    expect(inputOf(all, "database-password-login-set")).not.toHaveProperty("password");
    expect(namedIn(all, "database-password-copy-role")).toBeUndefined();
  });
});

describe("PostgresPassword of an activation of this version", () => {
  const now2 = { inPlace: 2, derivesSalts: -1 } as const;

  it("declares no salt, and gives a login its settings where it is proven", async () => {
    const all = await resources("alternating-users", { ...second, ...now2 });
    expect(order(all).filter((name) => /-salt$|-copy-role$/.test(name))).toEqual([]);
    expect(inputOf(all, "database-password-login-a-set").salt).toBe(
      derivedSalt("paper", "database-password-slot-a", 2),
    );
    const { copy } = inputOf(all, "database-password-verify-login");
    expect(copy).toEqual({ database: inputOf(all, "database-password-login-a-set").database, from: "trader_b" });
    expect(inputOf(all, "database-password-confirm-login")).not.toHaveProperty("copy");
    expect(namedIn(all, "database-password-login-a")).toMatchObject({ role: "trader_a", copies: "trader_b" });
    expect(namedIn(all, "database-password-login-b")).not.toHaveProperty("copies");
    for (const name of ["restart-orchestrator", "copy-role", "login-a-set"].map((part) => `database-password-${part}`))
      expect(namedIn(all, name)?.triggers, name).toBeUndefined();
  });

  it("keeps the salt of a password that an earlier version made", async () => {
    const all = await resources("alternating-users", { ...second, ...now2, derivesSalts: 2 });
    expect(order(all).filter((name) => name.endsWith("-salt"))).toEqual(["database-password-slot-b-salt"]);
  });

  it("copies nothing to the platform's own role, nor for a single user", async () => {
    const request = { id: "r", secret: "database/password", activate: 0, reason: "x" };
    const back = { ...nextState(first, { now, policy, hasAdopted: true, request }), ...now2 };
    expect(inputOf(await resources("alternating-users", back), "database-password-verify-login")).not.toHaveProperty(
      "copy",
    );
    const single = await resources("single-user", { ...second, ...now2 });
    expect(inputOf(single, "database-password-verify-login")).not.toHaveProperty("copy");
  });
});

describe("PostgresPassword with a single user", () => {
  it("changes the one role's password by a step, and declares no role of the plugin's", async () => {
    const all = await resources("single-user", second);
    expect(ofType(all, "postgresql:index/role:Role")).toEqual([]);
    expect(inputOf(all, "database-password-login-set")).toMatchObject({
      role: "trader",
      login: true,
      password: "password of database-password-slot-a-password",
      salt: Buffer.alloc(16, 7).toString("base64"),
    });
    expect(namedIn(all, "database-password-login")).toMatchObject({ role: "trader", verifier: "SCRAM-SHA-256" });
  });

  it("writes the password alone, as the runbook does", async () => {
    const all = await resources("single-user", second);
    const written = all.filter(({ inputs }) => String(inputs.create).includes("/store-write.mjs"));
    expect(written.map(({ inputs }) => inputs.create)).toEqual([
      "node dist/steps/store-write.mjs secret/paper/database/password",
    ]);
    const input = inputOf(all, "database-password-database-password");
    expect(input.entry.value).toBe("password of database-password-slot-a-password");
    expect(input).not.toHaveProperty("pair");
  });
});

describe.each(["single-user", "alternating-users"] as const)("PostgresPassword, %s", (strategy) => {
  it("has no secret outside stdin: not in a command, not in an environment, not in a trigger", async () => {
    for (const { type, inputs } of await resources(strategy, second)) {
      if (!type.startsWith("command:")) continue;
      expect(inputs).not.toHaveProperty("environment");
      expect(inputs).not.toHaveProperty("delete");
      expect(inputs.addPreviousOutputInEnv).toBe(false);
      // What the last login says of the old one's sessions is for people.
      const warns = strategy === "alternating-users" && inputs.create === "node dist/steps/verify-login.mjs";
      expect(warns ? ["none", "stderr"] : ["none"]).toContain(inputs.logging);
      expect(JSON.stringify([inputs.create, inputs.update, inputs.triggers])).not.toMatch(/password of|SCRAM/);
    }
  });

  it("has the activation as the only trigger of all that acts, and the step as the audit row's", async () => {
    const commands = (await resources(strategy, second)).filter(({ type }) => type.startsWith("command:"));
    // What writes the store and marks it runs in place where its input changes.
    const inPlace = commands.filter(({ inputs }) => /store-(write|mark)\.mjs /.test(String(inputs.create)));
    expect(inPlace).toHaveLength(strategy === "single-user" ? 2 : 4);
    for (const { inputs } of inPlace) expect(inputs).not.toHaveProperty("triggers");
    // What is not in use is set when it is to log in or not, and keeps the activation that it had.
    const triggers: Record<string, string> = {
      "database-password-audit-row": "2-ROTATE-2",
      ...(strategy === "alternating-users"
        ? { "database-password-login-set": "", "database-password-login-b-set": "" }
        : {}),
    };
    for (const { name, inputs } of commands.filter((command) => !inPlace.includes(command)))
      expect(inputs.triggers).toEqual([triggers[name] ?? "2"]);
  });

  it("moves nothing but the audit row, a login and the marks when the grace period ends", async () => {
    const ended = nextState(second, { now: new Date(later.getTime() + policy.gracePeriod), policy, hasAdopted: true });
    expect(ended.step.action).toBe("REVOKE");
    const before = await resources(strategy, second);
    const after = await resources(strategy, ended);
    expect(moved(before, after)).toEqual(
      strategy === "single-user"
        ? ["database-password-database-password-metadata", "database-password-audit-row"]
        : [
            "database-password-login-b",
            "database-password-login-b-set",
            "database-password-database-username-metadata",
            "database-password-database-password-metadata",
            "database-password-audit-row",
          ],
    );
  });

  it("proves the previous credential in a rotation, and does not ask for it in a rollback", async () => {
    const rotation = inputOf(await resources(strategy, second), "database-password-preflight-checks");
    expect(rotation.mode).toBe("rotation");
    expect(rotation.current).toMatchObject({ password: "password of database-password-slot-b-password" });
    expect(Object.keys(rotation.hosts)).toEqual(["app-1", "app-2"]);
    const request = { id: "r", secret: "database/password", activate: 1, reason: "x" };
    const back = nextState(second, { now: later, policy, hasAdopted: true, request });
    const rollback = inputOf(await resources(strategy, back), "database-password-preflight-checks");
    expect(rollback.mode).toBe("rollback");
    expect(rollback).not.toHaveProperty("current");
  });

  it("without a known value in use the store must be empty, or name a role of its own", async () => {
    const all = await resources(strategy, first, null);
    const preflight = inputOf(all, "database-password-preflight-checks");
    expect(preflight).not.toHaveProperty("current");
    const names = ["trader", "trader_a", "trader_b"].map((value) => ({
      path: "database/username",
      value,
      public: true,
    }));
    expect(preflight.expected).toEqual(strategy === "single-user" ? [] : names);
    expect(preflight.whenForeign).toContain("`rotation adopt database/password --stack paper`");
    const known = inputOf(all, "database-password-database-password").known;
    expect(valuesOf(known)).toEqual(["password of database-password-slot-b-password"]);
    expect(inputOf(all, "database-password-store-unchanged").known).toContainEqual(known[0]);
  });

  it("keeps in the store no resource that knows the whole document", async () => {
    const all = await resources(strategy, second);
    expect(all.filter(({ type }) => type.startsWith("vault:") || type === "pulumi:providers:vault")).toEqual([]);
  });
});
