import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type { Platform } from "../../../components/platform";
import { nextState } from "../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import type { SecretState } from "../../../core/state";
import { RedisPassword } from "../../../kinds/redis-password/component";
import type { RedisPasswordConfig } from "../../../kinds/redis-password/schema";
import { platformOf, service } from "./platform";
import { type Declared, declare, inputOf, moved, namedIn, order } from "./strict-mocks";

const config: RedisPasswordConfig = {
  kind: "redis-password",
  name: "redis/password",
  user: "app",
  nodes: ["redis-1:6379", "redis-2:6379"],
  admin: "rotation",
  adminVariable: "REDISCLI_AUTH",
  tls: { mode: "verify-full", ca: "/etc/ssl/redis.crt" },
  rewriteConfig: false,
  restart: ["signal-service", "orchestrator"],
};

const now = new Date("2026-11-23T02:00:00Z");
const later = new Date("2027-02-20T02:00:00Z");
const first = nextState(undefined, { now, policy, hasAdopted: true });
const second = nextState(first, { now: later, policy, hasAdopted: true });

const services = Object.fromEntries(config.restart.map((name) => [name, service()]));

const resources = (
  state: SecretState,
  adopted: string | null = "old",
  changes: Partial<RedisPasswordConfig> = {},
  around: Partial<Platform> = {},
): Promise<Declared[]> =>
  declare(() => {
    const known = adopted === null ? undefined : pulumi.secret(adopted);
    const args = {
      config: { ...config, ...changes },
      state,
      force: false,
      policy,
      platform: platformOf({ services, ...around }),
      adopted: known,
    };
    return new RedisPassword("redis-password", args).state;
  });

const [A, B] = ["a", "b"].map((slot) => `password of redis-password-slot-${slot}-password`) as [string, string];
const redis = {
  nodes: config.nodes,
  user: "app",
  admin: "rotation",
  adminVariable: "REDISCLI_AUTH",
  tls: config.tls,
  rewriteConfig: false,
};

describe("RedisPassword", () => {
  it("declares exactly this, in the order in which it happens", async () => {
    expect(order(await resources(second))).toEqual([
      "redis-password-slot-b-password",
      "redis-password-preflight-checks",
      "redis-password-slot-a-password",
      "redis-password-store-unchanged",
      "redis-password-user-a",
      "redis-password-verify-login",
      "redis-password-redis-password",
      "redis-password-restart-signal-service",
      "redis-password-restart-orchestrator",
      "redis-password-confirm-login",
      "redis-password-user-b",
      "redis-password-redis-password-metadata",
      "redis-password-audit-history",
      "redis-password-audit-row",
    ]);
  });

  it("gives the user the new password before a login is tried, and keeps the previous one through the grace period", async () => {
    const all = await resources(second);
    expect(inputOf(all, "redis-password-user-a")).toEqual({
      ...{ redis, password: A, keep: [{ password: B }] },
      valid: true,
    });
    expect(inputOf(all, "redis-password-user-b")).toEqual({
      ...{ redis, password: B, keep: [{ password: A }] },
      valid: true,
    });
    const revoked = await resources({ ...second, revoked: true });
    expect(moved(all, revoked).filter((name) => name.includes("-user-"))).toEqual(["redis-password-user-b"]);
    expect(inputOf(revoked, "redis-password-user-b")).toMatchObject({ password: B, valid: false });
    expect(namedIn(revoked, "redis-password-user-b")?.create).toBe(
      "node dist/steps/redis-user.mjs 'removes the password of generation 1 of app'",
    );
  });

  it("lets the step of a slot know its last answer, which is a secret, and runs it in place", async () => {
    const step = namedIn(await resources(second), "redis-password-user-a");
    expect(step).toMatchObject({ addPreviousOutputInEnv: true, logging: "none" });
    for (const name of ["user-a", "user-b", "verify-login", "confirm-login"]) {
      const inputs = namedIn(await resources(second), `redis-password-${name}`);
      expect(inputs, name).toMatchObject({ addPreviousOutputInEnv: true, environment: { ROTATION_ACTIVATION: "2" } });
      expect([inputs?.triggers, inputs?.update], name).toEqual([undefined, undefined]);
    }
  });

  it("puts no password into a command line", async () => {
    for (const { inputs } of await resources(second))
      for (const key of ["create", "update", "triggers", "environment"])
        expect(JSON.stringify(inputs[key] ?? "")).not.toMatch(/password of redis|old/);
  });

  it("begins with the adopted password, which a rollback returns to and the end of the grace period removes", async () => {
    const adopted = await resources(first);
    expect(inputOf(adopted, "redis-password-user-a")).toMatchObject({ password: "old", valid: true });
    expect(inputOf(adopted, "redis-password-preflight-checks").current).toMatchObject({
      username: "app",
      password: "old",
      adopted: true,
    });
    const request = { id: "r", secret: "redis/password", activate: 0, reason: "x" };
    const back = await resources(nextState(first, { now, policy, hasAdopted: true, request }));
    expect(order(back).filter((name) => /user|verify|confirm/.test(name))).toEqual([
      "redis-password-user-a",
      "redis-password-verify-login",
      "redis-password-confirm-login",
      "redis-password-user-b",
    ]);
    expect(inputOf(back, "redis-password-verify-login")).toMatchObject({ password: "old", known: [{ password: B }] });
    expect(inputOf(back, "redis-password-redis-password")).toMatchObject({
      entry: { path: "redis/password", value: "old" },
    });
  });

  it("touches no password that it does not know", async () => {
    const all = await resources(first, null);
    expect(inputOf(all, "redis-password-user-a")).toEqual({
      ...{ redis, keep: [{ password: B }] },
      valid: true,
    });
    expect(inputOf(all, "redis-password-verify-login")).toMatchObject({ known: [] });
    expect(inputOf(all, "redis-password-preflight-checks")).not.toHaveProperty("current");
  });

  it("rehearses from where services are, only if the config says so, and stops only a rotation", async () => {
    const proof = async (rehearse: boolean, state = second) =>
      inputOf(await resources(state, "old", {}, { rehearse }), "redis-password-verify-login");
    expect(await proof(false)).not.toHaveProperty("rehearsal");
    const places = [{ readers: [{ services: ["signal-service", "orchestrator"] }] }];
    expect((await proof(true)).rehearsal).toEqual({ places, strict: true });
    expect((await proof(true, { ...second, emergency: true })).rehearsal.strict).toBe(false);
  });

  it("writes a document with addresses that contain it, in one piece", async () => {
    const extras = { url: "rediss://{username}:{password}@{host}:{port}/0" };
    const all = await resources(second, "old", { format: "json", extras });
    expect(inputOf(all, "redis-password-redis-password").entry.fields).toEqual({
      username: { value: "app", public: true },
      password: { value: A },
      url: { value: `rediss://app:${encodeURIComponent(A)}@redis-1:6379/0` },
    });
  });
});
