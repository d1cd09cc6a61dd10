import { describe, expect, it } from "vitest";
import { configWith, type Key, parse, problemsOf, rightSecret } from "./example";

const API = ["services", "signal-service"] as const;
const hosts = ["a", "b", "c", "d"];
const host = { address: "10.0.0.1", user: "deploy", hostKey: "ssh-ed25519 AAAA" };

/** The right config with more keys of a service, on four hosts. */
const withService = (more: Readonly<Record<string, unknown>>, ...changes: [Key[], unknown][]) =>
  configWith(
    [["hosts"], Object.fromEntries(["trading-1", ...hosts].map((name) => [name, host]))],
    [[...API], { hosts, health: "http://{address}:8000/health", ...more }],
    ...changes,
  );
const kubernetes = (sync: object) => ({ hosts: [], kubernetes: { sync } });

describe("what a service may have beside a restart", () => {
  it("is read with its defaults, and absent if it is not set", () => {
    const plain = parse(withService({})).services["signal-service"];
    for (const key of ["reload", "proof", "rollout", "before", "after", "kubernetes"])
      expect(plain).not.toHaveProperty(key);
    const { services } = parse(
      withService({
        reload: { http: { url: "http://{address}:8000/reload" } },
        proof: { field: "reloaded_at" },
        rollout: { maxUnavailable: "25%", canary: 1, bake: "30s" },
        before: { command: "drain" },
      }),
    );
    expect(services["signal-service"]).toMatchObject({
      reload: { http: { method: "POST", from: "host" } },
      proof: { field: "reloaded_at", shows: "changed" },
      rollout: { maxUnavailable: "25%", canary: 1, bake: 30_000 },
      before: { command: "drain", on: "host", timeout: 60_000 },
    });
    expect(parse(withService({ rollout: {} })).services["signal-service"]?.rollout).toEqual({
      ...{ maxUnavailable: 1, canary: 0, bake: 0 },
    });
  });

  it.each([
    [{ reload: "x", restart: "y" }, "reload: expected either `restart` or `reload`, found both"],
    [{ reload: 5 }, "reload: expected a command, { signal } or { http }, found 5"],
    [{ reload: {} }, "reload: expected a command, { signal } or { http }, found an object"],
    [{ reload: { signal: "HUP" } }, 'reload.signal: expected a signal such as SIGHUP, found "HUP"'],
    [{ reload: { signal: "SIGKILL" } }, 'reload.signal: expected a signal such as SIGHUP, found "SIGKILL"'],
    [{ reload: { http: { url: "tcp://localhost:1" } } }, "reload.http.url: expected an http:// or https:// address"],
    [
      { reload: { http: { url: "http://x/reload?token=abc" } } },
      "reload.http.url: expected an address without a credential: it is stored as it is, and a process list shows it; found the parameter `token`",
    ],
    [
      { hosts: [], kubernetes: {}, reload: { signal: "SIGHUP" } },
      "reload: expected a command, since a signal or a request reaches one of several pods; or leave it out for a rollout",
    ],
    [{ health: "tcp://localhost:1", proof: { field: "x" } }, "proof: expected only with an http address in `health`"],
    [{ rollout: { maxUnavailable: 0 } }, "rollout.maxUnavailable: expected at least 1, found 0"],
    [
      { rollout: { maxUnavailable: "100%" } },
      'rollout.maxUnavailable: expected a number of hosts, or a share such as 25%, found "100%"',
    ],
    [
      { rollout: { maxUnavailable: 4 } },
      "rollout.maxUnavailable: expected fewer than all 4 hosts, so that the service keeps running",
    ],
    [{ rollout: { canary: 4 } }, "rollout.canary: expected fewer than all 4 hosts"],
    [{ rollout: { bake: "30s" } }, "rollout.bake: expected only with `canary`: it is the canaries that are watched"],
    [{ hosts: ["a"], rollout: {} }, "rollout: expected several `hosts`, found 1"],
    [{ before: "drain" }, 'before: expected an object with command, found "drain"'],
    [{ before: { command: "x", on: "moon" } }, 'before.on: expected one of host, runner, found "moon"'],
    [
      kubernetes({ externalSecret: "a", vaultStaticSecret: "b", keys: { "database/password": "p" } }),
      "kubernetes.sync: expected either `externalSecret` or `vaultStaticSecret`",
    ],
    [kubernetes({}), "kubernetes.sync: expected either `externalSecret` or `vaultStaticSecret`"],
    [
      kubernetes({ vaultStaticSecret: "b" }),
      "kubernetes.sync.keys: expected the keys to compare, since a VaultStaticSecret does not say when it synced",
    ],
    [
      kubernetes({ externalSecret: "a", keys: { "database/pasword": "p" } }),
      'kubernetes.sync.keys["database/pasword"]: expected a path of a secret that restarts signal-service (one of database/username, database/password), found another',
    ],
  ])("refuses %j", (more, message) => {
    expect(problemsOf(withService(more))).toEqual([`services.signal-service.${message}`]);
  });
});

describe("what is compared in the Kubernetes Secret", () => {
  const document = rightSecret({
    format: "json",
    path: "database/trader",
    keys: { username: "user", password: "pass" },
  });
  const keys = (named: unknown, secret = document, path = "database/trader") =>
    withService(kubernetes({ externalSecret: "trader", keys: { [path]: named } }), [["secrets"], [secret]]);
  const where = 'services.signal-service.kubernetes.sync.keys["database/trader"]';

  it("is a key of the document, under the name that it has in the Secret", () => {
    for (const named of ["pass", { pass: "DB_PASSWORD" }, { user: "DB_USER", pass: "DB_PASSWORD" }])
      expect(parse(keys(named)).services["signal-service"]?.kubernetes?.sync?.keys).toEqual({
        "database/trader": named,
      });
  });

  it("is one that this stack writes", () => {
    expect(problemsOf(keys("DB_PASSWORD"))).toEqual([
      `${where}: expected a key of the document (one of user, pass), or { key in the document: key of the Kubernetes Secret }, found DB_PASSWORD`,
    ]);
    expect(problemsOf(keys({ password: "DB_PASSWORD" }))).toEqual([
      `${where}: expected a key of the document (one of user, pass), found password`,
    ]);
    expect(problemsOf(keys({ value: "p" }, rightSecret(), "database/password"))).toEqual([
      `${where.replace("trader", "password")}: expected a key of the Kubernetes Secret, since the path has one value`,
    ]);
    expect(problemsOf(keys(5))).toEqual([
      `${where}: expected a key of a Kubernetes Secret, or { key in the document: key of the Kubernetes Secret }, found 5`,
    ]);
    expect(problemsOf(keys({ pass: "no spaces" }))).toEqual([
      `${where}.pass: expected a key of a Kubernetes Secret, found "no spaces"`,
    ]);
  });
});

describe("what proves the credential in use", () => {
  const proof = (value: object, secrets: unknown) => problemsOf(withService({ proof: value }, [["secrets"], secrets]));
  const single = rightSecret({ strategy: "single-user" });
  const second = rightSecret({ name: "other/password", role: "other" });

  it("may be the user name where it changes, and the generation of one secret", () => {
    const accepted = (value: object, secrets: unknown) => parse(withService({ proof: value }, [["secrets"], secrets]));
    accepted({ field: "database.user", shows: "username" }, [rightSecret()]);
    accepted({ field: "database.user", shows: "username", secret: "other/password" }, [rightSecret(), second]);
    accepted({ field: "g", shows: "generation" }, [single]);
  });

  it("must be about a secret that the service reads, and of one whose value can show", () => {
    const where = "services.signal-service.proof";
    expect(proof({ field: "x", shows: "username" }, [single])).toEqual([
      `${where}.shows: expected only for a secret whose user name changes with each rotation (alternating-users)`,
    ]);
    expect(proof({ field: "x", secret: "database/pasword" }, [single])).toEqual([
      `${where}.secret: expected database/password, found database/pasword`,
    ]);
    expect(proof({ field: "x", shows: "generation" }, [rightSecret(), second])).toEqual([
      `${where}.secret: expected \`secret\`, since database/password and other/password have generations of their own`,
    ]);
    expect(proof({ field: "x" }, [rightSecret({ restart: ["orchestrator"] })])).toEqual([
      `${where}.secret: expected only for a service that a secret restarts, found none`,
    ]);
  });
});

describe("the hooks of a rotation", () => {
  it("run on this machine or on a known host", () => {
    const hooks = (host?: string) => ({ before: { command: "x", ...(host === undefined ? {} : { host }) } });
    for (const { before } of [hooks(), hooks("trading-1")]) parse(configWith([["secrets", 0, "before"], before]));
    expect(problemsOf(configWith([["secrets", 0, "before"], hooks("trading-9").before]))).toEqual([
      "secrets[0].before.host: expected an entry of hosts (trading-1), found trading-9",
    ]);
  });
});

describe("how a service gets to its databases", () => {
  it("names paths of the secrets that it reads", () => {
    const named = (...paths: string[]) => withService({ connects: { paths } });
    expect(parse(named("primary")).services["signal-service"]).toMatchObject({ connects: { paths: ["primary"] } });
    expect(problemsOf(named("primary", "pgbouncer:6432")).join()).toContain(
      "services.signal-service.connects.paths[1]: expected primary, found pgbouncer:6432",
    );
  });
});
