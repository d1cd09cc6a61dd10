import { expect, test } from "vitest";
import { parseDuration } from "../../../core/duration";
import { configWith, type Key, parse, problemsOf } from "./example";

const CREDENTIAL = "pw-of-vaults-own-login";

const STATIC = {
  kind: "postgres-password",
  name: "database/password",
  strategy: "vault-static",
  database: { host: "db.internal", name: "trader" },
  vault: { username: "vault_admin" },
  rotationPeriod: "30d",
  restart: ["signal-service"],
};

const withStatic = (changes: object = {}, ...others: (readonly [path: readonly Key[], value: unknown])[]) =>
  configWith(
    [["secrets", 0], { ...STATIC, ...changes }],
    [["connectionPasswords"], { trader: CREDENTIAL }],
    [["adopted"], {}],
    ...others,
  );

test("a password that Vault rotates needs its own login and a period, and takes the rest from the database", () => {
  expect(parse(withStatic()).secrets[0]).toMatchObject({
    strategy: "vault-static",
    role: "trader",
    staticRole: "trader",
    rotationPeriod: parseDuration("30d"),
    vault: { mount: "database", createMount: true, connection: "trader", username: "vault_admin", rotateRoot: false },
  });
});

test.each<[string, object, string]>([
  ["no login", { vault: {} }, "secrets[0].vault.username: expected text, found nothing"],
  ["nothing said of Vault", { vault: undefined }, "secrets[0].vault: expected an object with username, found nothing"],
  [
    "a key of another strategy",
    { usernamePath: "database/username" },
    "secrets[0].usernamePath: unknown key; expected one of kind, name, database",
  ],
  [
    "neither period nor schedule",
    { rotationPeriod: undefined },
    "secrets[0].rotationPeriod: expected either rotationPeriod or rotationSchedule, found neither",
  ],
  [
    "period and schedule",
    { rotationSchedule: "0 2 * * SAT" },
    "secrets[0].rotationPeriod: expected either rotationPeriod or rotationSchedule, found both",
  ],
  [
    "a period that passes the policy",
    { rotationPeriod: "91d" },
    "secrets[0].rotationPeriod: expected at most maxAge (90d), found 91d",
  ],
  [
    "a period too short for Vault",
    { rotationPeriod: "2s" },
    "secrets[0].rotationPeriod: expected at least 5s, found 2s",
  ],
  [
    "a window without a schedule",
    { rotationWindow: "2h" },
    "secrets[0].rotationWindow: expected only with rotationSchedule: a period has no window",
  ],
  [
    "a window too short for Vault",
    { rotationPeriod: undefined, rotationSchedule: "0 2 * * SAT", rotationWindow: "5m" },
    "secrets[0].rotationWindow: expected at least 1h, as Vault does",
  ],
  [
    "half a schedule",
    { rotationPeriod: undefined, rotationSchedule: "daily" },
    "secrets[0].rotationSchedule: expected five fields as in cron, such as `0 2 * * SAT`",
  ],
  [
    "the role as Vault's own login",
    { vault: { username: "trader" } },
    "secrets[0].vault.username: expected a login of Vault's own, which changes the role, found the role itself (trader)",
  ],
  [
    "the pipeline's own login, whose password only Vault would know",
    { database: { ...STATIC.database, admin: "vault_admin" }, vault: { username: "vault_admin", rotateRoot: true } },
    "secrets[0].vault.rotateRoot: expected false: Vault alone would know the password of vault_admin, which this pipeline logs in as",
  ],
])("is refused with %s", (_, changes, message) => {
  const problems = problemsOf(withStatic(changes));
  expect(problems, problems.join("\n")).toHaveLength(1);
  expect(problems[0]?.startsWith(message), problems.join("\n")).toBe(true);
});

test("a connection whose password is not there says how to give it", () => {
  expect(problemsOf(withStatic({}, [["connectionPasswords"], {}]))).toEqual([
    'secrets[0].vault.connection: expected the password of vault_admin in connectionPasswords["trader"], found nothing: ' +
      "`pulumi config set --secret --path 'connectionPasswords[\"trader\"]'`",
  ]);
});

const DYNAMIC = { ...STATIC, strategy: "vault-dynamic", rotationPeriod: undefined };

test("short-lived logins take their ttl and their statements from the config, or from what suits most", () => {
  expect(parse(withStatic(DYNAMIC)).secrets[0]).toMatchObject({
    strategy: "vault-dynamic",
    role: "trader",
    defaultTtl: parseDuration("1h"),
    maxTtl: parseDuration("24h"),
    vault: { connection: "trader" },
  });
});

test.each<[string, object, string]>([
  ["a ttl beyond its end", { defaultTtl: "2d" }, "secrets[0].defaultTtl: expected at most maxTtl (1d), found 2d"],
  ["a ttl too short for Vault", { defaultTtl: "2s" }, "secrets[0].defaultTtl: expected at least 5s, found 2s"],
  ["a life beyond the policy", { maxTtl: "91d" }, "secrets[0].maxTtl: expected at most policy.maxAge (90d), found 91d"],
  ["no statement", { creationStatements: [] }, "secrets[0].creationStatements: expected at least one SQL statement"],
  [
    "a policy of its own",
    { policy: { maxAge: "30d" } },
    "secrets[0].policy: expected nothing: a lease ends by itself, after maxTtl at the latest",
  ],
  [
    "a period of the other strategy",
    { rotationPeriod: "30d" },
    "secrets[0].rotationPeriod: unknown key; expected one of kind, name, database",
  ],
])("short-lived logins are refused with %s", (_, changes, message) => {
  const problems = problemsOf(withStatic({ ...DYNAMIC, ...changes }));
  expect(problems, problems.join("\n")).toHaveLength(1);
  expect(problems[0]?.startsWith(message), problems.join("\n")).toBe(true);
});

test("short-lived logins have no value to adopt", () => {
  expect(problemsOf(withStatic(DYNAMIC, [["adopted"], { "database/password": "the-one-in-use" }]))).toEqual([
    'adopted["database/password"]: expected nothing: services with leases never return to a password',
  ]);
});

test("secrets share a connection if they say the same of it, and a role in Vault belongs to one", () => {
  const second = { ...STATIC, name: "reports/password", role: "reports" };
  const problems = (changes: object) => problemsOf(withStatic({}, [["secrets", 1], { ...second, ...changes }]));
  expect(parse(withStatic({}, [["secrets", 1], second])).secrets).toHaveLength(2);
  expect(problems({ vault: { username: "other_admin" } })).toEqual([
    "secrets[1].vault.connection: expected what secrets[0] says of trader (vault_admin on db.internal:5432/trader, require), found other_admin on db.internal:5432/trader, require; name another connection",
  ]);
  expect(problems({ vault: { username: "vault_admin", createMount: false } })).toEqual([
    "secrets[1].vault.createMount: expected true, as secrets[0] says of database, found false",
  ]);
  expect(problems({ staticRole: "trader" })).toEqual([
    "secrets[1].role: expected a role of its own in Vault, found trader at database, which secrets[0] has",
  ]);
});

test("a message shows no password, nor a name that may be one", () => {
  const problems = problemsOf(
    withStatic({}, [["connectionPasswords"], { trader: CREDENTIAL, [`${CREDENTIAL}-2`]: "trader" }]),
  );
  expect(problems).toEqual([
    "connectionPasswords (an entry): expected the name of a connection (trader), found another; it is not shown, since it may be a value",
  ]);
  expect(problemsOf(withStatic({}, [["connectionPasswords"], { trader: 123_456 }]))).toEqual([
    "connectionPasswords (an entry): expected text",
  ]);
  expect(problemsOf(withStatic({}, [["connectionPasswords"], CREDENTIAL])).join()).not.toContain(CREDENTIAL);
});
