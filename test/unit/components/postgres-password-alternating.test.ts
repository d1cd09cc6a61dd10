import { describe, expect, it } from "vitest";
import { nextState } from "../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import { derivedSalt } from "../../../core/scram";
import type { SecretState } from "../../../core/state";
import { first, now, ofType, resources, second } from "./postgres-updates";
import { inputOf, namedIn, order } from "./strict-mocks";

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
  const now3 = { inPlace: 3, derivesSalts: -1 } as const;

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

  it("writes and marks all paths by one step each, which looks for an external write itself", async () => {
    const all = await resources("alternating-users", { ...second, ...now3 });
    expect(order(all).filter((name) => /store-|-database-/.test(name))).toEqual([
      "database-password-store-write",
      "database-password-store-mark",
    ]);
    const [a, b] = ["a", "b"].map((slot) => `password of database-password-slot-${slot}-password`);
    const names = ["trader", "trader_a", "trader_b"].map((value) => ({
      path: "database/username",
      value,
      public: true,
    }));
    const written = inputOf(all, "database-password-store-write");
    expect(written).toMatchObject({
      entries: [
        { path: "database/username", value: "trader_a", public: true },
        { path: "database/password", value: a },
      ],
      pair: { generation: 2, slot: 0 },
      force: false,
    });
    expect(written.known).toEqual([...[b, a].map((value) => ({ path: "database/password", value })), ...names]);
    expect(namedIn(all, "database-password-store-write")).toMatchObject({
      create: "node dist/steps/store-write.mjs 'secret/paper/database/username and secret/paper/database/password'",
      environment: { ROTATION_ACTIVATION: "2" },
      addPreviousOutputInEnv: true,
    });
    const { marks } = inputOf(all, "database-password-store-mark");
    expect(marks.map(({ path }: { path: string }) => path)).toEqual(["database/username", "database/password"]);
  });

  it("looks for an external write by a step of its own only before a value that it may have brought back ends", async () => {
    const looks = async (strategy: "single-user" | "alternating-users", state: SecretState) => {
      const names = order(await resources(strategy, { ...state, ...now3 }));
      const [looked, set] = ["store-unchanged", strategy === "single-user" ? "login-set" : "login-a-set"].map((name) =>
        names.indexOf(`database-password-${name}`),
      );
      if (looked !== undefined && looked >= 0) expect(looked).toBeLessThan(Number(set));
      return Number(looked) >= 0;
    };
    expect(await looks("alternating-users", second)).toBe(false);
    expect(await looks("single-user", second)).toBe(true);
    // It may end the slot's former password within its grace period, and its preflight does not ask what the store holds.
    expect(await looks("alternating-users", { ...second, emergency: true })).toBe(true);
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
