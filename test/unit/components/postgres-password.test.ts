import { describe, expect, it } from "vitest";
import { nextState } from "../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import { first, later, ofType, resources, second } from "./postgres-updates";
import { inputOf, moved, namedIn } from "./strict-mocks";

const valuesOf = (entries: { value: string }[]) => entries.map(({ value }) => value);

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
