import { describe, expect, it } from "vitest";
import type { PostgresPasswordConfig } from "../../../config";
import { databasePathsOf, keptLists, poolersOf } from "../../../kinds/postgres-password/paths/schema";
import { configWith, parse, problemsOf, rightSecret } from "./example";

const withPaths = (...paths: unknown[]) => configWith([["secrets"], [rightSecret({ paths })]]);
const secretOf = (config: Record<string, unknown>) => {
  const parsed = parse(config);
  return { secret: parsed.secrets[0] as PostgresPasswordConfig, hosts: parsed.hosts };
};

describe("the paths of a database password", () => {
  it("take the database's settings where they have none of their own", () => {
    const { secret, hosts } = secretOf(
      withPaths("primary", "replica:5433", {
        address: "[fd00::1]:6432",
        name: "pooled",
        sslmode: "disable",
        limit: "5s",
        pooler: { console: "admin", userlist: { file: "/etc/pgbouncer/userlist.txt", hosts: ["trading-1"] } },
      }),
    );
    expect(databasePathsOf(secret)).toEqual([
      { host: "replica", port: 5433, database: "trader", sslmode: "require", limit: 60_000, pooler: false },
      ...[
        {
          host: "fd00::1",
          port: 6432,
          database: "pooled",
          sslmode: "disable",
          limit: 5000,
          pooler: true,
          console: "admin",
        },
      ],
    ]);
    const pooler = { host: "fd00::1", port: 6432, database: "pooled", sslmode: "disable", console: "admin" };
    expect(poolersOf(secret)).toEqual([pooler]);
    expect(keptLists(secret, hosts)).toMatchObject([
      { pooler, file: "/etc/pgbouncer/userlist.txt", sudo: false, hosts: [{ name: "trading-1", address: "10.0.0.1" }] },
    ]);
  });

  it.each([
    ["replica", /^secrets\[0\]\.paths\[0\].*expected HOST:PORT, such as pgbouncer:6432, or primary/],
    ["replica:99999", /expected HOST:PORT/],
    ["db.internal:5432", /expected each path once, found db\.internal:5432, which is the database's own server/],
    [{ address: "a:1", pooler: { userlist: { file: "/a" } } }, /console: expected the user of the admin console/],
    [{ address: "a:1", pooler: { console: "a", userlist: { file: "a" } } }, /expected an absolute path/],
    [
      { address: "a:1", pooler: { console: "a", userlist: { file: "/a", hosts: ["nowhere"] } } },
      /hosts\[0\]: expected an entry of hosts \(trading-1\), found nowhere/,
    ],
    [{ address: "a:1", port: 1 }, /port: unknown key; expected one of address, name, sslmode, limit, pooler/],
    [{ address: "primary", sslmode: "disable" }, /expected primary alone/],
  ])("%j is refused with what was expected", (path, words) =>
    expect(problemsOf(withPaths(path)).join("\n")).toMatch(words),
  );

  it("are named once each", () =>
    expect(problemsOf(withPaths("a:1", "a:1")).join("\n")).toMatch(/paths\[1\]\.address: .*which paths\[0\] names/));
});

describe("a login to Vault", () => {
  const withStore = (store: object, ...more: Parameters<typeof configWith>) =>
    configWith([["store"], { kind: "vault", ...store }], ...more);
  const SECRET_ID = "of-the-approle-secret-id";

  it("has the method's own defaults", () => {
    const auth = { method: "approle", roleId: "r" };
    expect(parse(withStore({ auth, mount: "team/kv" }, [["vaultSecretId"], SECRET_ID])).store).toMatchObject({
      auth: { ...auth, mount: "approle" },
      mount: "team/kv",
    });
    expect(parse(withStore({ auth: { method: "kubernetes", role: "r" } })).store).toMatchObject({
      auth: { tokenFile: "/var/run/secrets/kubernetes.io/serviceaccount/token", mount: "kubernetes" },
    });
  });

  it.each([
    [
      { method: "approle", roleId: "r" },
      /^vaultSecretId: expected the secret id .*pulumi config set --secret vaultSecretId/,
    ],
    [{ method: "approle" }, /store\.auth\.roleId/],
    [{ method: "userpass" }, /store\.auth\.method: expected .*approle.*jwt.*kubernetes/],
    [{ method: "jwt", role: "r", tokenVariable: "A", tokenFile: "/a" }, /expected either tokenVariable or tokenFile/],
    [{ method: "jwt", role: "r", mount: "/jwt/" }, /store\.auth\.mount: expected words/],
    [{ method: "kubernetes", role: "r", tokenFile: "token" }, /expected an absolute path/],
    ["approle", /store\.auth: expected an object with method/],
  ])("%j is refused with what was expected", (auth, words) =>
    expect(problemsOf(withStore({ auth })).join("\n")).toMatch(words),
  );

  it("needs no secret id but for AppRole, and shows none", () => {
    const problems = problemsOf(withStore({}, [["vaultSecretId"], SECRET_ID])).join("\n");
    expect(problems).toMatch(/^vaultSecretId: expected only with store\.auth of the method approle/);
    expect(problems).not.toContain(SECRET_ID);
  });
});

describe("a login to AWS", () => {
  const withStore = (store: object) => configWith([["store"], { kind: "aws", region: "eu-central-1", ...store }]);
  const roleArn = "arn:aws:iam::123456789012:role/rotation";

  it("has its defaults, and takes an endpoint with TLS outside of a lab", () => {
    const store = { assumeRole: { roleArn }, endpoint: "https://vpce.example", stsEndpoint: "https://sts.example" };
    expect(parse(withStore(store)).store).toMatchObject({
      assumeRole: { roleArn, sessionName: "secret-rotation", duration: 3_600_000 },
    });
  });

  it.each([
    [
      { profile: "a", webIdentity: { roleArn, tokenFile: "/t" } },
      /webIdentity: expected either a profile or webIdentity/,
    ],
    [{ assumeRole: { roleArn: "rotation" } }, /assumeRole\.roleArn: expected a role's ARN/],
    [{ assumeRole: { roleArn, duration: "5m" } }, /assumeRole\.duration: expected 15m to 12h/],
    [{ webIdentity: { roleArn, tokenFile: "t" } }, /tokenFile: expected an absolute path/],
    [{ stsEndpoint: "http://sts.example" }, /stsEndpoint: expected only in a lab without https/],
    [{ caBundle: "ca.pem" }, /caBundle: expected an absolute path/],
  ])("%j is refused with what was expected", (store, words) =>
    expect(problemsOf(withStore(store)).join("\n")).toMatch(words),
  );
});

describe("the way to a host", () => {
  const at = (more: object = {}) => ({ address: "10.0.0.1", user: "deploy", hostKey: "ssh-ed25519 AAAA", ...more });
  const withHosts = (hosts: object) => configWith([["hosts"], hosts]);

  it("names the bastions with their own keys", () => {
    const hosts = { "trading-1": at({ proxy: "inner" }), inner: at({ proxy: "outer" }), outer: at({ port: 2222 }) };
    expect(parse(withHosts(hosts)).hosts["trading-1"]).toMatchObject({
      proxy: { name: "inner", address: "10.0.0.1", proxy: { name: "outer", port: 2222 } },
    });
  });

  it.each([
    [
      { "trading-1": at({ proxy: "none" }) },
      /hosts\.trading-1\.proxy: expected an entry of hosts \(trading-1\), found none/,
    ],
    [{ "trading-1": at({ proxy: "b" }), b: at({ proxy: "trading-1" }) }, /found a circle: trading-1, b, trading-1/],
    [
      { "trading-1": at({ proxy: "a" }), a: at({ proxy: "b" }), b: at({ proxy: "c" }), c: at() },
      /expected at most 2 hosts on the way, found trading-1, a, b, c/,
    ],
    [
      { "trading-1": at({ hostKey: "ssh-ed25519-cert-v01@openssh.com AAAA" }) },
      /found a certificate: put the key of the authority/,
    ],
    [
      { "trading-1": at({ hostKey: ["ssh-ed25519 AAAA", "10.0.0.2 ssh-ed25519 AAAA"] }) },
      /hosts\.trading-1\.hostKey\[1\]: expected a line for 10\.0\.0\.1, found one for 10\.0\.0\.2; leave the names out, or set hostKeyAlias/,
    ],
    [
      { "trading-1": at({ hostKey: "@cert-authority *.desk.internal ssh-ed25519 AAAA" }) },
      /expected a line for 10\.0\.0\.1, found one for \*\.desk\.internal/,
    ],
    [
      { "trading-1": at({ hostKey: "@revoked * ssh-ed25519 AAAA" }) },
      /expected a key that is not @revoked, found none/,
    ],
    [{ "trading-1": at({ hostKey: "@cert-authority * ssh-dss AAAA" }) }, /expected a host key of the type ssh-ed25519/],
    [{ "trading-1": at({ hostKey: "@ca * ssh-ed25519 AAAA" }) }, /expected a public host key/],
    [
      { "trading-1": at({ address: "[fd00::1]" }) },
      /address: expected one name or address, an IPv6 address without brackets/,
    ],
    [{ "trading-1": at({ user: "a b" }) }, /user: expected letters, digits, -, _, \. or @/],
  ])("%j is refused with what was expected", (hosts, words) =>
    expect(problemsOf(withHosts(hosts)).join("\n")).toMatch(words),
  );

  it("may be proven by an authority, and its keys be whole lines of known_hosts", () => {
    const hostKey = [
      "@cert-authority *.desk.internal ssh-ed25519 AAAA",
      "[trading-1.desk.internal]:22,trading-1.desk.internal ssh-rsa AAAA",
    ];
    const hosts = { "trading-1": at({ hostKeyAlias: "trading-1.desk.internal", hostKey }) };
    expect(parse(withHosts(hosts)).hosts["trading-1"]).toMatchObject({ hostKey });
    expect(
      parse(withHosts({ "trading-1": at({ port: 2222, hostKey: "[10.0.0.1]:2222 ssh-rsa AAAA" }) })),
    ).toBeDefined();
  });

  it("is opened by a key, also with a passphrase, or by the agent", () => {
    expect(parse(configWith([["sshPrivateKey"], undefined], [["sshAgent"], true])).sshAgent).toBe(true);
    expect(problemsOf(configWith([["sshAgent"], true]))).toEqual([
      "sshAgent: expected either sshAgent or sshPrivateKey, found both",
    ]);
    const problems = problemsOf(configWith([["sshPrivateKey"], undefined], [["sshKeyPassphrase"], "of-the-key"]));
    expect(problems.join("\n")).toMatch(/sshKeyPassphrase: expected only with sshPrivateKey/);
  });
});

describe("TLS to a database", () => {
  const withDatabase = (more: object, strategy = "single-user") =>
    configWith([["secrets"], [rightSecret({ strategy, database: { host: "db", name: "trader", ...more } })]]);

  it.each([
    [{ sslmode: "maybe" }, /sslmode: expected .*allow.*prefer/],
    [{ sslcert: "/a" }, /sslkey: expected sslcert and sslkey together/],
    [{ sslrootcert: "ca.pem" }, /sslrootcert: expected an absolute path, or system/],
    [{ sslrootcert: "system" }, /sslmode: expected verify-full with sslrootcert: system/],
    [{ sslrootcert: "system", sslmode: "verify-ca" }, /sslmode: expected verify-full with sslrootcert: system/],
    [{ host: "[fd00::1]" }, /host: expected one name or address, an IPv6 address without brackets/],
    [{ host: "db-1,db-2" }, /host: expected one name or address/],
  ])("%j is refused with what was expected", (database, words) =>
    expect(problemsOf(withDatabase(database)).join("\n")).toMatch(words),
  );

  it("has the passphrase of the client's key, which the plugin does not take", () => {
    const files = { sslcert: "/a.crt", sslkey: "/a.key" };
    const secrets = (strategy: string) =>
      configWith(
        [["secrets"], [rightSecret({ strategy, database: { host: "db", name: "trader", ...files } })]],
        [["sslPassword"], "of-the-key"],
      );
    expect(parse(secrets("single-user")).secrets[0]).toMatchObject({ database: { sslpassword: "of-the-key" } });
    const refused = problemsOf(secrets("alternating-users")).join("\n");
    expect(refused).toMatch(/database\.sslkey: expected a key without a passphrase for alternating-users/);
    expect(refused).not.toContain("of-the-key");
  });

  it("is none on a Unix socket, which the plugin does not have", () => {
    expect(() => parse(withDatabase({ host: "/run/postgresql" }))).not.toThrow();
    expect(problemsOf(withDatabase({ host: "/run/postgresql" }, "alternating-users")).join("\n")).toMatch(
      /database\.host: expected a name or an address for alternating-users/,
    );
  });
});
