import { describe, expect, test } from "vitest";
import { durationsOf } from "../../../policy/rules/settings";
import { PackUnderTest, type Seen } from "./analyzer";

const CONFIG = {
  policy: { maxAge: "90d", gracePeriod: "24h" },
  secrets: [{ kind: "postgres-password", name: "database/password" }, { kind: "alpaca-key" }],
};

const PREFIX = "urn:pulumi:paper::secret-rotation::secret-rotation:index:PostgresPassword";
const PASSWORD = "Xy7-of-a-test_only.4321";

const PRIVATE_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n";

const REMOTE_GATE = `systemctl restart orchestrator
for i in 1 2 3; do curl -s http://localhost:8001/health | grep '"status":"healthy"' && exit 0; sleep 1; done
exit 1`;

const COMPONENT: Seen = {
  type: "secret-rotation:index:PostgresPassword",
  urn: `${PREFIX}::database-password`,
  properties: {},
};

/** Resources as the program declares them. */
const GOOD: Record<string, Seen> = {
  password: {
    type: "random:index/randomPassword:RandomPassword",
    urn: `${PREFIX}$random:index/randomPassword:RandomPassword::slot-a`,
    properties: {
      length: 24,
      minLower: 1,
      minUpper: 1,
      minNumeric: 1,
      minSpecial: 1,
      result: PASSWORD,
      keepers: { generation: "2" },
    },
  },
  role: {
    type: "postgresql:index/role:Role",
    urn: `${PREFIX}$postgresql:index/role:Role::role-a`,
    properties: {
      name: "trader_a",
      password: "SCRAM-SHA-256$4096:abc$def",
      skipDropRole: true,
      skipReassignOwned: true,
    },
  },
  value: {
    type: "vault:kv/secretV2:SecretV2",
    urn: `${PREFIX}$vault:kv/secretV2:SecretV2::value`,
    properties: { dataJson: JSON.stringify({ value: PASSWORD, generation: "2" }), deleteAllVersions: false },
  },
  username: {
    type: "vault:kv/secretV2:SecretV2",
    urn: `${PREFIX}$vault:kv/secretV2:SecretV2::username`,
    properties: { dataJson: JSON.stringify({ value: "trader_a", generation: "2" }), deleteAllVersions: false },
  },
  metadata: {
    type: "vault:generic/endpoint:Endpoint",
    urn: `${PREFIX}$vault:generic/endpoint:Endpoint::metadata`,
    properties: { path: "secret/metadata/paper/database/password", dataJson: "{}", disableDelete: true },
  },
  awsSecret: {
    type: "aws:secretsmanager/secret:Secret",
    urn: `${PREFIX}$aws:secretsmanager/secret:Secret::secret`,
    properties: { name: "prod/database/password", recoveryWindowInDays: 30 },
  },
  // The platform's own role is no resource of a plugin's; its name is in the store after a rollback, and is no secret.
  owner: {
    type: "secret-rotation:index:LoginRole",
    urn: `${PREFIX}$secret-rotation:index:LoginRole::login`,
    properties: { role: "trading_owner" },
  },
  ownerUsername: {
    type: "vault:kv/secretV2:SecretV2",
    urn: `${PREFIX}$vault:kv/secretV2:SecretV2::owner-username`,
    properties: { dataJson: JSON.stringify({ value: "trading_owner", generation: "0" }), deleteAllVersions: false },
  },
  set: {
    type: "command:local:Command",
    urn: `${PREFIX}$secret-rotation:index:LoginRole$command:local:Command::login-set`,
    properties: {
      create: "node dist/steps/set-role.mjs",
      stdin: JSON.stringify({ role: "trading_owner", login: true, password: PASSWORD }),
      triggers: ["0"],
      stdout: '{"role":"trading_owner"}',
      addPreviousOutputInEnv: false,
    },
  },
  remembering: {
    type: "command:local:Command",
    urn: `${PREFIX}$command:local:Command::user-a`,
    properties: {
      create: "node dist/steps/redis-user.mjs 'adds the password of generation 2 of app'",
      stdin: JSON.stringify({ redis: { user: "app" }, password: PASSWORD, valid: true }),
      stdout: `{"hash":"${"a".repeat(64)}"}`,
      addPreviousOutputInEnv: true,
    },
  },
  step: {
    type: "command:local:Command",
    urn: `${PREFIX}$command:local:Command::verify-login`,
    properties: {
      create: "node dist/steps/verify-login.mjs",
      stdin: JSON.stringify({ username: "trader_a", password: PASSWORD }),
      triggers: ["2"],
      stdout: '{"user":"trader_a"}',
      addPreviousOutputInEnv: false,
    },
  },
  inPlace: {
    type: "command:local:Command",
    urn: `${PREFIX}$command:local:Command::confirm-login`,
    properties: {
      create: "node dist/steps/verify-login.mjs",
      environment: { ROTATION_ACTIVATION: "2" },
      stdin: JSON.stringify({ username: "trader_a", password: PASSWORD }),
      stdout: '{"user":"trader_a","activation":"2"}',
      addPreviousOutputInEnv: true,
    },
  },
  restart: {
    type: "command:local:Command",
    urn: `${PREFIX}$secret-rotation:index:RollingRestart$command:local:Command::restart-signal-service`,
    properties: {
      create: "node dist/steps/restart-service.mjs",
      update: "true",
      interpreter: ["/usr/bin/env", "ROLLED_OUT=", "/bin/sh", "-c"],
      stdin: JSON.stringify({ command: "systemctl restart signal-service", privateKey: PRIVATE_KEY }),
      triggers: ["2"],
      addPreviousOutputInEnv: false,
    },
  },
  /** As another program does it. */
  remote: {
    type: "command:remote:Command",
    urn: `${PREFIX}$secret-rotation:index:RollingRestart$command:remote:Command::restart-orchestrator`,
    properties: {
      create: REMOTE_GATE,
      update: "true",
      connection: {
        host: "10.0.0.1",
        port: 22,
        user: "deploy",
        hostKey: "ssh-ed25519 AAAA",
        privateKey: PRIVATE_KEY,
      },
      addPreviousOutputInEnv: false,
    },
  },
};

const whole = (changed: Record<string, Seen> = {}) => [COMPONENT, ...Object.values({ ...GOOD, ...changed })];

/** A good resource with other properties; `undefined` takes one away. */
function but(name: string, properties: Record<string, unknown>): Record<string, Seen> {
  const good = GOOD[name];
  if (good === undefined) throw new Error(`no good ${name}`);
  const all = Object.entries({ ...good.properties, ...properties }).filter(([, value]) => value !== undefined);
  return { [name]: { ...good, properties: Object.fromEntries(all) } };
}

describe("the policy pack, through its own server", () => {
  test("has nothing against what the program declares; each rule about a resource fires, and that one alone", async () => {
    const pack = await PackUnderTest.start(CONFIG);
    expect(await pack.rules()).toEqual(
      [
        "max-age",
        "grace-period",
        "host-key",
        "restart-behind-health-gate",
        "secrets-retained",
        "no-secret-in-a-command-line",
        "strong-password",
      ].map((name) => ({ name, level: 1 })),
    );
    expect(await pack.violations(whole())).toEqual([]);
    const connection = { host: "10.0.0.1", user: "deploy", hostKey: "ssh-ed25519 AAAA" };
    const create = String(GOOD.remote?.properties.create);
    for (const [rule, changed, says] of [
      ["host-key", but("remote", { connection: { ...connection, hostKey: undefined } }), "expected connection.hostKey"],
      ["host-key", but("remote", { connection: { ...connection, hostKey: "" } }), "the public key of 10.0.0.1"],
      [
        "host-key",
        but("remote", { connection: { ...connection, proxy: { host: "jump" } } }),
        "connection.proxy.hostKey",
      ],
      ["restart-behind-health-gate", but("restart", { create: "systemctl restart signal-service" }), "expected a gate"],
      ["restart-behind-health-gate", but("step", { create: "docker compose restart web" }), "expected a gate"],
      ["restart-behind-health-gate", but("remote", { create: create.replaceAll("exit 1", "exit 0") }), "to fail if"],
      ["secrets-retained", but("value", { deleteAllVersions: true }), "deleteAllVersions: false"],
      ["secrets-retained", but("metadata", { disableDelete: undefined }), "disableDelete: true"],
      ["secrets-retained", but("awsSecret", { recoveryWindowInDays: 0 }), "found 0"],
      ["secrets-retained", but("role", { skipDropRole: false }), "skipDropRole"],
      ["secrets-retained", but("role", { skipReassignOwned: undefined }), "skipReassignOwned"],
      ["no-secret-in-a-command-line", but("step", { create: `check ${PASSWORD}` }), "no secret in `create`"],
      ["no-secret-in-a-command-line", but("restart", { update: `echo ${PASSWORD}` }), "no secret in `update`"],
      ["no-secret-in-a-command-line", but("step", { interpreter: [PASSWORD] }), "no secret in `interpreter`"],
      ["no-secret-in-a-command-line", but("step", { stdout: PASSWORD }), "no secret in `stdout`"],
      ["no-secret-in-a-command-line", but("step", { triggers: [PASSWORD] }), "no secret in `triggers`"],
      ["no-secret-in-a-command-line", but("step", { environment: { A: "b" } }), "expected no `environment`"],
      ["no-secret-in-a-command-line", but("step", { addPreviousOutputInEnv: undefined }), "addPreviousOutputInEnv"],
      [
        "no-secret-in-a-command-line",
        but("step", { addPreviousOutputInEnv: true, environment: { ROTATION_ACTIVATION: "2", A: "b" } }),
        "expected no `environment`",
      ],
      ["no-secret-in-a-command-line", but("remembering", { create: "./a-step" }), "addPreviousOutputInEnv"],
      ["no-secret-in-a-command-line", but("remembering", { stdout: PASSWORD }), "no secret in `stdout`"],
      ["strong-password", but("password", { length: 12 }), "at least 24 characters, found 12"],
      ["strong-password", but("password", { minSpecial: 0 }), "minSpecial of at least 1, found 0"],
      ["strong-password", but("password", { keepers: { generation: "2", date: "x" } }), "found date, generation"],
    ] as const) {
      const found = await pack.violations(whole(changed));
      expect(found, says).toMatchObject([{ rule, urn: Object.values(changed)[0]?.urn }]);
      expect(found[0]?.message).toContain(says);
      expect(found[0]?.message).not.toContain(PASSWORD);
    }
  });

  test("the rules about the config fire on the config that the engine hands over, once for each secret", async () => {
    const secrets = [
      { name: "a/b", policy: { gracePeriod: "0s" } },
      { name: "c/d", policy: { maxAge: "400d" } },
    ];
    const pack = await PackUnderTest.start({ policy: { maxAge: "30d" }, secrets });
    expect(await pack.violations(whole())).toEqual([
      {
        rule: "max-age",
        urn: "",
        message: expect.stringContaining("c/d: expected policy.maxAge of at most 90d, found 400d"),
      },
      {
        rule: "grace-period",
        urn: "",
        message: expect.stringContaining("a/b: expected policy.gracePeriod of at least 1h"),
      },
    ]);
  });
});

test("a stack's durations are its own, else the secret's policy's, else the program's; a wrong text is none", () => {
  const config = (values: Record<string, unknown>) => ({ getObject: (key: string) => values[key] }) as never;
  expect(durationsOf(config({ secrets: [{ name: "a" }] }))).toEqual([
    { secret: "a", maxAge: 7_776e6, gracePeriod: 864e5 },
  ]);
  expect(
    durationsOf(
      config({ policy: { maxAge: "60d" }, secrets: [{ kind: "alpaca-key", policy: { gracePeriod: "soon" } }] }),
    ),
  ).toEqual([{ secret: "alpaca-key", maxAge: 5_184e6, gracePeriod: undefined }]);
  expect(() => durationsOf(config({}))).toThrow("has no secret-rotation:secrets");
});
