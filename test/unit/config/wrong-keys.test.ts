import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../config";
import { configWith, type Key, PASSWORD, PRIVATE_KEY, parse, problemsOf, rightSecret } from "./example";

/** `key = value => message`: what is set (as JSON, or `nothing`), and the one message about that key. */
const CASES = `
polcy = {} => unknown key; expected one of environment, policy, store,
environment = nothing => expected a lower-case word, such as paper or prod, found nothing
environment = "Paper Trading" => expected a lower-case word, such as paper or prod, found "Paper Trading"
policy = "90d" => expected an object with one of maxAge, lead, gracePeriod, gracePeriodMax, quietPeriod, retryAfter, jitter, found "90d"
policy.maxAge = "90 days" => expected a duration such as 90d, 24h, 30m or 45s, found "90 days"
policy.gracePeriod = 24 => expected a duration such as 90d, 24h, 30m or 45s, found 24
policy.gracePeriodMax = "12h" => expected at least gracePeriod (1d), found 12h
policy.quietPeriod = "two days" => expected a duration such as 90d, 24h, 30m or 45s, found "two days"
policy.quietPeriod = "7d" => expected less than gracePeriodMax (7d), at which the login ends in any case, found 7d
policy.maxAge = "91d" => expected at most 90d (PCI DSS 3.6.4), found 91d
policy.lead = "90d" => expected less than maxAge (90d), found 90d
policy.lead = "2160h" => expected less than maxAge (90d), found 90d
store = nothing => expected an object with kind, found nothing
store = "vault" => expected an object with kind, found "vault"
store.kind = "gcp" => expected one of vault, aws, found "gcp"
store.address = "vault:8200" => expected an http:// or https:// address, found "vault:8200"
store.mount = "a/b/" => expected words of letters, digits, -, _ or . joined by /, without one at the end, found "a/b/"
alpaca = nothing => expected { baseUrl }, to ask whether the market is closed, found nothing; or say in market when it is open, or set preflight.allowOpenMarket: true
alpaca.baseUrl = "paper" => expected an http:// or https:// address, found "paper"
preflight.allowOpenMarket = "yes" => expected true or false, found "yes"
probe = true => expected an object with one of rate, threshold, limit, found "true"
probe.rate = 5 => expected logins a second or a minute from 1/min to 20/s, such as 5/s, found 5
probe.rate = "5" => expected logins a second or a minute from 1/min to 20/s, such as 5/s, found "5"
probe.rate = "21/s" => expected logins a second or a minute from 1/min to 20/s, such as 5/s, found "21/s"
probe.rate = "0/min" => expected logins a second or a minute from 1/min to 20/s, such as 5/s, found "0/min"
probe.threshold = -1 => expected at least 0, found -1
probe.threshold = 1.5 => expected a whole number, found 1.5
probe.limit = 0 => expected at least 1, found 0
probe.limit = 200001 => expected at most 200000, found 200001
hosts.trading-1.hostKey = nothing => expected a public host key, such as ${"`ssh-ed25519 AAAA...`"}, found nothing
hosts.trading-1.hostKey = "SHA256:x" => expected a public host key, such as ${"`ssh-ed25519 AAAA...`"}, found "SHA256:x"
hosts.trading-1.port = 0 => expected at least 1, found 0
services = nothing => expected an object, found nothing
services.orchestrator = "http://x" => expected an object with health, found "http://x"
services.orchestrator.health = nothing => expected an http:// or https:// address, found nothing
services.orchestrator.health = ":8001/health" => expected an http:// or https:// address, found ":8001/health"
services.orchestrator.timeout = "a minute" => expected a duration such as 90d, 24h, 30m or 45s, found "a minute"
services.orchestrator.hosts[0] = "trading-2" => expected an entry of hosts (trading-1), found trading-2
secrets = nothing => expected a list, found nothing
secrets = {} => expected a list, found an object
secrets[0].rol = "x" => unknown key; expected one of kind, name,
secrets[0].name = nothing => expected lower-case words joined by /, such as database/password, found nothing
secrets[0].name = "Database/Password" => expected lower-case words joined by /, such as database/password, found "Database/Password"
secrets[0].name = "../password" => expected lower-case words joined by /, such as database/password, found "../password"
secrets[0].strategy = "both" => expected one of single-user, alternating-users, vault-static
secrets[0].database = nothing => expected an object with host, name, found nothing
secrets[0].database.host = nothing => expected text, found nothing
secrets[0].database.port = "5432" => expected a number, found "5432"
secrets[0].database.port = 70000 => expected at most 65535, found 70000
secrets[0].database.port = 1.5 => expected a whole number, found 1.5
secrets[0].database.sslmode = "full" => expected one of disable, allow, prefer, require, verify-ca, verify-full, found "full"
secrets[0].database.password = "x" => unknown key; expected one of service, host, port, name, admin, sslmode
secrets[0].role = 5 => expected text, found 5
secrets[0].role = "" => expected some text, found ""
secrets[0].role = "a-name-of-sixty-two-characters-is-too-long-for-an-ending-of-twox" => expected at most 61 characters, found "a-name-of-
secrets[0].restart = nothing => expected a list, found nothing
secrets[0].restart = "orchestrator" => expected a list, found "orchestrator"
secrets[0].restart = [] => expected at least one service that reads the secret, found an empty list
secrets[0].restart[1] = "orchestratr" => expected an entry of services (one of signal-service, orchestrator), found orchestratr
secrets[0].restart[1] = "constructor" => expected an entry of services (one of signal-service, orchestrator), found constructor
secrets[0].restart[1] = "a; reboot" => expected letters, digits, - or _, found "a; reboot"
secrets[0].usernamePath = "database/password" => expected a path that nothing else is written to, found database/password, which secrets[0] writes; set usernamePath
secrets[0].policy.quietPeriod = "8d" => expected less than gracePeriodMax (7d), at which the login ends in any case, found 8d
secrets[0].policy.lead = "90d" => expected less than maxAge (90d), found 90d
secrets[0].policy.maxAge = "91d" => expected at most the stack's policy.maxAge (90d), found 91d
request = {"id":"1","secret":"database/password","reason":"x"} => expected either ${"`rotate: true`, `activate: <generation>` or `adopt: true`"}, found none of them
request = {"id":"1","secret":"database/password","reason":"x","rotate":true,"activate":1} => expected either ${"`rotate: true`, `activate: <generation>` or `adopt: true`"}, found rotate and activate
lab = {} => only a lab may set the clock, and db.internal is not a loopback address; remove this key
sshPrivateKey = nothing => expected a private key, since services run on hosts, found nothing: ${"`pulumi config set --secret sshPrivateKey < KEYFILE`"}
sshPrivateKey = {"a":"b"} => expected text
adopted = "hunter2" => expected an object from names to values
adopted = ["hunter2"] => expected an object from names to values
`;

const cases = CASES.trim()
  .split("\n")
  .map((line) => /^(?<key>.*?) = (?<value>.*) => (?<message>.*)$/.exec(line)?.groups as Record<string, string>);

const pathOf = (key: string): Key[] =>
  [...key.matchAll(/[\w-]+/g)].map(([part]) => (/^\d+$/.test(part) ? Number(part) : part));

/** The one thing wrong with the right config changed at one path. */
function problemOf(path: readonly Key[], value: unknown): string {
  const problems = problemsOf(configWith([path, value]));
  expect(problems).toHaveLength(1);
  return String(problems[0]);
}

describe("a config with one thing wrong gets one message with path, expected and found", () => {
  it.each(cases)("$key = $value", ({ key = "", value = "", message }) => {
    const problem = problemOf(pathOf(key), value === "nothing" ? undefined : JSON.parse(value));
    expect(problem.startsWith(`${key}: ${message}`), problem).toBe(true);
  });

  it.each(["secrets[0]", "store"])("an unknown kind of %s lists the known ones", (key) => {
    const problem = problemOf([...pathOf(key), "kind"], "carrier-pigeon");
    expect(problem).toMatch(
      /^(secrets\[0\]|store)\.kind: expected (one of )?[a-z-]+(, [a-z-]+)*, found "carrier-pigeon"$/,
    );
    expect(problem).toContain(key === "store" ? "vault" : "postgres-password");
  });

  it.each([
    [
      { rotate: true, secret: "database/pasword" },
      "secret: expected the name of a secret (database/password), found database/pasword",
    ],
    [{ rotate: false }, "rotate: expected true, found false"],
    [{ activate: "1" }, 'activate: expected a number, found "1"'],
    [{ activate: -1 }, "activate: expected at least 0, found -1"],
    [
      { activate: 0, emergency: true },
      "emergency: expected only with `rotate: true`: a rollback waits for no market hours anyway",
    ],
    [{ rotate: true, reason: "" }, 'reason: expected a reason, which is written into the audit log, found ""'],
  ])("a request with %j", (request, message) => {
    const whole = { id: "r-1", secret: "database/password", reason: "a test", ...request };
    expect(problemOf(["request"], whole)).toBe(`request.${message}`);
  });
});

describe("settings that cannot stand beside one another", () => {
  it("the same secret twice is said once", () => {
    expect(problemOf(["secrets", 1], rightSecret())).toBe(
      "secrets[1].name: expected a name of its own, found database/password, which secrets[0] has already",
    );
  });

  it("two names that are one in Pulumi", () => {
    const problems = problemsOf(
      configWith(
        [["secrets", 1], rightSecret({ name: "eu-risk/password", database: { host: "db", name: "b" } })],
        [["secrets", 2], rightSecret({ name: "eu/risk-password", database: { host: "db", name: "c" } })],
      ),
    );
    expect(problems).toEqual([
      "secrets[2].name: expected a name of its own, found eu/risk-password, which secrets[1] (eu-risk/password) takes, since - counts as /",
    ]);
  });

  it("one role in two secrets", () => {
    expect(problemOf(["secrets", 1], rightSecret({ name: "risk/password" }))).toBe(
      "secrets[1].role: expected a role that no other secret has, found trader on db.internal:5432, which secrets[0] rotates",
    );
  });

  it("two secrets whose user names would be written to one path", () => {
    const second = rightSecret({ name: "database/risk", database: { host: "db.internal", name: "risk" } });
    const message =
      "secrets[1].usernamePath: expected a path that nothing else is written to, found database/username, which secrets[0] writes; set usernamePath";
    expect(problemOf(["secrets", 1], second)).toBe(message);
    expect(parse(configWith([["secrets", 1], { ...second, usernamePath: "database/risk-user" }])).secrets).toHaveLength(
      2,
    );
    expect(parse(configWith([["secrets", 1], { ...second, strategy: "single-user" }])).secrets).toHaveLength(2);
  });

  it("a path of its own for the name of a single user", () => {
    const single = rightSecret({ strategy: "single-user", usernamePath: "database/user" });
    expect(problemOf(["secrets", 0], single)).toBe(
      "secrets[0].usernamePath: expected only with strategy alternating-users: a single user keeps its name",
    );
  });

  it("a database's name that is too long to be a role's", () => {
    expect(problemOf(["secrets", 0, "database", "name"], "r".repeat(62))).toBe(
      "secrets[0].role: expected at most 61 characters, found the database's name; name the role",
    );
  });

  it("a host's name that is none", () => {
    const host = { address: "10.0.0.2", user: "deploy", hostKey: "ssh-ed25519 AAAA" };
    expect(problemOf(["hosts", "trading 2"], host)).toBe(
      'hosts["trading 2"]: its name is wrong: expected letters, digits, - or _',
    );
  });

  it.each([
    ["prod", "127.0.0.1", "lab: a stack of the environment prod is never a lab; remove this key"],
    [
      "paper",
      "db.internal",
      "lab: only a lab may set the clock, and db.internal is not a loopback address; remove this key",
    ],
    [
      "paper",
      "127.0.0.1.nip.io",
      "lab: only a lab may set the clock, and 127.0.0.1.nip.io is not a loopback address; remove this key",
    ],
  ])("a clock in %s on %s", (environment, address, message) => {
    const loopback = configWith(
      [["environment"], environment],
      [["lab"], { clock: "2026-11-23T02:00:00Z" }],
      [["alpaca", "baseUrl"], "http://127.0.0.1:4000"],
      [["hosts", "trading-1", "address"], "127.0.0.1"],
      [["secrets", 0, "database", "host"], address],
    );
    expect(problemsOf(loopback)).toEqual([message]);
  });
});

describe("a message shows no secret", () => {
  it.each([
    [
      { "database/other": PASSWORD },
      "adopted (an entry): expected the name of a secret (database/password), found another; it is not shown, since it may be a value",
    ],
    [
      { [PASSWORD]: "database/password" },
      "adopted (an entry): its name is wrong: expected lower-case words joined by /, such as database/password",
    ],
    [{ "database/password": 123_456 }, 'adopted["database/password"]: expected text'],
    [{ "database/password": "" }, 'adopted["database/password"]: expected some text'],
    [`{"database/password": "${PASSWORD}"`, "adopted: expected an object from names to values"],
  ])("adopted: %j", (adopted, message) => {
    expect(problemOf(["adopted"], adopted)).toBe(message);
  });

  it("not even if everything is wrong, and all of it is named at once", () => {
    const wrong = configWith(
      [["polcy"], { maxAge: "90d" }],
      [["environment"], undefined],
      [["store", "kind"], "gcp"],
      [["secrets", 0, "role"], 5],
      [["secrets", 0, "restart"], ["signal-servce"]],
      [["services", "orchestrator", "hosts"], ["trading-2"]],
      [["sshPrivateKey"], [PRIVATE_KEY]],
      [["adopted"], { "database/password": [PASSWORD] }],
      [["request"], { id: 1, secret: "alpaca/api_key", rotate: true, reason: "x" }],
    );
    const keys = problemsOf(wrong).map((line) => line.split(": ")[0]);
    expect(keys.sort()).toEqual([
      'adopted["database/password"]',
      "environment",
      "polcy",
      "request.secret",
      "secrets[0].restart[0]",
      "secrets[0].role",
      "services.orchestrator.hosts[0]",
      "sshPrivateKey",
      "store.kind",
    ]);
    expect(() => parse(wrong)).toThrow(ConfigError);
    expect(() => parse(wrong)).toThrow(
      /^9 settings are wrong in the config of stack paper:\n(.*\n){9}Correct them in Pulumi\.paper\.yaml or with `pulumi config set --path`; nothing was changed\.$/,
    );
    expect(() => parse(wrong)).not.toThrow(/hunter2|OPENSSH|b3BlbnNzaC/);
    expect(() => parse(configWith([["polcy"], {}]))).toThrow(/^1 setting is wrong in the config of stack paper:\n/);
  });
});
