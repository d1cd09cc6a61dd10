import * as pulumi from "@pulumi/pulumi";
import { expect, it } from "vitest";
import { RollingRestart } from "../../../components/rolling-restart";
import type { ServiceConfig } from "../../../config";
import { declare, inputOf, namedIn, order } from "./strict-mocks";

const service = (more: object): ServiceConfig =>
  ({ hosts: ["app-1", "app-2"], health: "http://{address}:8000/health", timeout: 60_000, ...more }) as ServiceConfig;
const host = (address: string) => ({
  address,
  port: 22,
  user: "deploy",
  hostKey: ["ssh-ed25519 AAAA", "ssh-rsa AAAA"],
});

const BROUGHT = {
  ...{ secret: "database/password", generation: 2, username: "trader_a" },
  entries: [
    { path: "database/username", value: "trader_a", public: true as const },
    { path: "database/password", value: pulumi.secret("the new password") },
  ],
};

const resources = (more: { rolledOut?: string; config?: object; brought?: typeof BROUGHT } = {}) =>
  declare(() => {
    const first = new pulumi.ComponentResource("secret-rotation:index:Preflight", "first");
    const rolled = { trigger: "2", isRolledOut: more.rolledOut === "2", brought: [more.brought ?? BROUGHT] };
    const restart = new RollingRestart(
      "s-restart",
      {
        services: [
          { name: "api", config: service(more.config ?? {}), ...rolled },
          { name: "report", config: service({ hosts: [], restart: "supervisorctl restart report" }), ...rolled },
        ],
        hosts: { "app-1": host("10.0.0.1"), "app-2": host("10.0.0.2") },
        privateKey: pulumi.secret("a private key"),
      },
      { dependsOn: first },
    );
    return (restart.last as pulumi.CustomResource).id ?? restart.said;
  });

it("restarts by a step of this program, a host after the other, with all that it needs on stdin", async () => {
  const all = await resources();
  expect(order(all)).toEqual(["s-restart-api-app-1", "s-restart-api-app-2", "s-restart-report"]);
  expect(inputOf(all, "s-restart-api-app-2")).toEqual({
    service: "api",
    command: "systemctl restart api",
    probe: {
      kind: "http",
      url: "http://10.0.0.2:8000/health",
      rule: { status: [], field: "status", equals: ["healthy"], text: null },
    },
    timeout: 60_000,
    host: { name: "app-2", ...host("10.0.0.2") },
    privateKey: "a private key",
    activation: "2",
  });
  expect(inputOf(all, "s-restart-report")).toMatchObject({ command: "supervisorctl restart report" });
  expect(inputOf(all, "s-restart-report")).not.toHaveProperty("privateKey");
  for (const name of order(all)) {
    const { stdin: _, ...shown } = namedIn(all, name) ?? {};
    expect(shown).toMatchObject({ create: "node dist/steps/restart-service.mjs", update: "true", triggers: ["2"] });
    expect(JSON.stringify(shown)).not.toContain("a private key");
  }
});

it("says which activation an earlier version of the program rolled out, if its resources were others", async () => {
  const marked = async (rolledOut?: string) => {
    const all = await resources(rolledOut === undefined ? {} : { rolledOut });
    return order(all).map((name) => (namedIn(all, name)?.interpreter as string[] | undefined)?.[1]);
  };
  expect(await marked("2")).toEqual(["ROLLED_OUT=2", "ROLLED_OUT=2", undefined]);
  // That of another activation is none of this one.
  expect(await marked("1")).toEqual(["ROLLED_OUT=", "ROLLED_OUT=", undefined]);
  expect(await marked()).toEqual(["ROLLED_OUT=", "ROLLED_OUT=", undefined]);
});

it("moves no trigger when only settings change", async () => {
  const [before, after] = [await resources(), await resources({ config: { timeout: 90_000, restart: "true" } })];
  for (const name of order(before)) expect(namedIn(after, name)?.triggers).toEqual(namedIn(before, name)?.triggers);
});

const HOSTS = { hosts: ["app-1", "app-2"] };

it("reloads by what the config names, and says what the health answer must show", async () => {
  const reload = async (value: unknown, more: object = {}) =>
    inputOf(await resources({ config: { ...HOSTS, reload: value, ...more } }), "s-restart-api-app-1");
  const proof = { field: "database.user", shows: "username" };
  expect(await reload("systemctl reload api", { proof })).toMatchObject({
    ...{ command: "systemctl reload api", reload: true },
    probe: { url: "http://10.0.0.1:8000/health", shows: "database.user" },
    proof: { field: "database.user", equals: "trader_a" },
  });
  expect(await reload({ signal: "SIGHUP" })).toMatchObject({
    command: "systemctl kill --kill-who=main --signal=SIGHUP api",
  });
  expect(await reload({ signal: "SIGUSR1" }, { compose: { project: "x" } })).toMatchObject({
    command: "docker compose --project-name x kill --signal SIGUSR1 api",
  });
  const http = { method: "PUT", url: "http://{address}:8000/-/reload", from: "runner" };
  expect(await reload({ http }, { proof: { field: "g", shows: "generation" } })).toMatchObject({
    request: { from: "runner", probe: { method: "PUT", url: "http://10.0.0.1:8000/-/reload", rule: { field: null } } },
    proof: { field: "g", equals: "2" },
  });
  expect(await reload("x", { proof: { field: "at", shows: "changed" } })).toMatchObject({ proof: { field: "at" } });
  // A proof of another secret says nothing of this one.
  const other = await reload("x", { proof: { ...proof, secret: "alpaca/api_key" } });
  expect(other).not.toHaveProperty("proof");
});

it("takes several hosts at once, each batch after all of the one before, the canaries first", async () => {
  const rollout = { maxUnavailable: 2, canary: 1, bake: 30_000 };
  const names = ["a", "b", "c", "d"];
  const all = await declare(() => {
    const first = new pulumi.ComponentResource("secret-rotation:index:Preflight", "first");
    const config = service({ hosts: names, rollout });
    const hosts = Object.fromEntries(names.map((name) => [name, host(`10.0.0.${name}`)]));
    const args = { services: [{ name: "api", config, trigger: "2" }], hosts, privateKey: pulumi.secret("k") };
    return new RollingRestart("s-restart", args, { dependsOn: first }).said;
  });
  expect(order(all)).toEqual(names.map((name) => `s-restart-api-${name}`));
  const rolloutOf = (name: string) => inputOf(all, `s-restart-api-${name}`).rollout;
  expect(rolloutOf("a")).toEqual({
    ...{ batch: 1, of: 3, canary: true, bake: 30_000, done: "", beside: "", later: "b, c, d" },
  });
  expect(rolloutOf("c")).toEqual({ batch: 2, of: 3, canary: false, done: "a", beside: "b", later: "d" });
  expect(rolloutOf("d")).toEqual({ batch: 3, of: 3, canary: false, done: "a, b, c", beside: "", later: "" });
  // The names of today: a stack that gets a rollout restarts nothing.
  for (const name of names) expect(namedIn(all, `s-restart-api-${name}`)?.triggers).toEqual(["2"]);
});

it("hands hooks what they may know, and the credential only to be taken out of what they print", async () => {
  const hook = { command: "drain", on: "host", timeout: 5000 };
  const all = await resources({ config: { ...HOSTS, before: hook } });
  expect(inputOf(all, "s-restart-api-app-1")).toMatchObject({
    before: hook,
    variables: {
      ...{ ROTATION_SERVICE: "api", ROTATION_HOST: "app-1", ROTATION_ADDRESS: "10.0.0.1" },
      ...{ ROTATION_SECRET: "database/password", ROTATION_GENERATION: "2" },
    },
    redacted: [{ value: "the new password" }],
  });
  expect(inputOf(all, "s-restart-api-app-1")).not.toHaveProperty("after");
  const { stdin: _, ...shown } = namedIn(all, "s-restart-api-app-1") ?? {};
  expect(JSON.stringify(shown)).not.toContain("the new password");
});

it("waits for the operator's sync with the values to compare, by their path", async () => {
  const sync = { externalSecret: "trader", keys: { "database/password": "password" }, timeout: 120_000 };
  const kubernetes = { namespace: "trading", sync };
  const all = await resources({ config: { hosts: [], kubernetes } });
  expect(inputOf(all, "s-restart-api").sync).toEqual({
    ...{ kubectl: "kubectl --namespace trading", operator: "externalSecret", name: "trader", timeout: 120_000 },
    values: [{ field: "password", value: "the new password" }],
  });
  const vaultOnly = { vaultStaticSecret: "trader", keys: { "alpaca/api_key_id": "id" }, timeout: 120_000 };
  const none = await resources({ config: { hosts: [], kubernetes: { sync: vaultOnly } } });
  // Nothing of this secret is in that object.
  expect(inputOf(none, "s-restart-api")).not.toHaveProperty("sync");
});

it("compares the keys of a document under the names that they have in the Kubernetes Secret", async () => {
  const document = {
    path: "database/trader",
    fields: {
      user: { value: "trader_a", public: true as const },
      pass: { value: pulumi.secret("p") },
      port: { value: 5432 },
    },
  };
  const brought = { ...BROUGHT, entries: [document] } as unknown as typeof BROUGHT;
  const values = async (named: unknown) => {
    const sync = { vaultStaticSecret: "trader", keys: { "database/trader": named }, timeout: 120_000 };
    const all = await resources({ brought, config: { hosts: [], kubernetes: { sync } } });
    return (inputOf(all, "s-restart-api").sync as { values?: unknown } | undefined)?.values;
  };
  expect(await values("pass")).toEqual([{ field: "pass", value: "p" }]);
  expect(await values({ user: "DB_USER", pass: "DB_PASSWORD", port: "DB_PORT" })).toEqual([
    { field: "DB_USER", value: "trader_a" },
    { field: "DB_PASSWORD", value: "p" },
    { field: "DB_PORT", value: "5432" },
  ]);
});
