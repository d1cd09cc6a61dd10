import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type { Deployment } from "../../../cli/operate/engine";
import { preflightInputOf } from "../../../cli/operate/preflight-input";
import type { Platform } from "../../../components/platform";
import { StackStore } from "../../../components/stack-store";
import {
  auditDatabase,
  type Config,
  type DatabaseConfig,
  noticeOf,
  parseConfig,
  referenceOf,
  type SecretConfig,
} from "../../../config";
import { nextState } from "../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import type { SecretState } from "../../../core/state";
import { decideSecret } from "../../../kinds";
import { marketClock } from "../../../kinds/alpaca-key/market-clock";
import { createSecrets, prepareSecrets } from "../../../kinds/create-secrets";
import { preflightInput } from "../../../kinds/preflights";
import { schemaOf } from "../../../stores/schemas";
import { A, B, settings } from "./alpaca-updates";
import { declare, inputOf } from "./strict-mocks";

const at = (days: number) => new Date(Date.parse("2026-11-23T02:00:00Z") + days * 86_400_000);

/** A platform with a service that no secret restarts. */
function passwords(strategy: string, more: Record<string, unknown> = {}): Config {
  const raw: Record<string, unknown> = {
    environment: "paper",
    store: { kind: "vault", address: "http://127.0.0.1:8200" },
    hosts: { "app-1": { address: "127.0.0.1", user: "deploy", hostKey: "ssh-ed25519 AAAA" } },
    services: {
      "signal-service": { hosts: ["app-1"], health: "http://localhost:8000/health" },
      dashboard: { health: "http://localhost:3000/health" },
    },
    secrets: [
      {
        kind: "postgres-password",
        name: "database/password",
        strategy,
        role: "trader",
        database: { host: "127.0.0.1", name: "trader", admin: "rotator" },
        restart: ["signal-service"],
      },
    ],
    sshPrivateKey: "key",
    adopted: { "database/password": "old" },
    alpaca: { baseUrl: "http://127.0.0.1:9" },
    preflight: { notice: "24h" },
    notify: { slackWebhook: "http://127.0.0.1:9/hook" },
    lab: { clock: at(0).toISOString() },
    ...more,
  };
  const text = Object.entries(raw).map(([key, value]) => [
    `secret-rotation:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return parseConfig(Object.fromEntries(text), "paper");
}

/** What an update asks, out of what it declares. */
async function asked(config: Config, finished: SecretState | undefined, now: Date): Promise<unknown> {
  const [secret] = config.secrets as [SecretConfig];
  const all = await declare(() => {
    const platform: Platform = {
      services: config.services,
      hosts: config.hosts,
      planBasis: [],
      clock: config.lab?.clock,
      secrets: config.secrets,
      store: new StackStore(schemaOf(config.store).referenceOf(config.store, config.environment)),
      privateKey: pulumi.secret(String(config.sshPrivateKey)),
      marketClock: marketClock(config),
      allowOpenMarket: config.preflight.allowOpenMarket,
      notice: noticeOf(config),
      audit: { connection: referenceOf(auditDatabase(config) as DatabaseConfig), stack: "paper", environment: "paper" },
    };
    const previous = finished === undefined ? {} : { [secret.name]: { state: finished } };
    const prepared = prepareSecrets(
      config,
      { previous, recorded: {} },
      platform,
      { digest: "", stack: "paper", required: 0, given: [] },
      now,
      {},
    );
    return pulumi.output(prepared.then((secrets) => createSecrets(config, platform, secrets)));
  });
  return preflightInput.parse(inputOf(all, `${secret.name.replaceAll("/", "-")}-preflight-checks`));
}

/** What the CLI asks, out of the stack's state. */
function looked(config: Config, finished: SecretState | undefined, now: Date): unknown {
  const [secret] = config.secrets as [SecretConfig];
  const slot = (letter: string, index: 0 | 1) => ({
    urn: `urn:pulumi:paper::secret-rotation::x::database-password-slot-${letter}-password`,
    type: "random:index/randomPassword:RandomPassword",
    outputs: {
      keepers: { generation: String(finished?.slots[index]) },
      result: `password of database-password-slot-${letter}-password`,
    },
  });
  const deployment: Deployment = { version: 3, deployment: { resources: [slot("a", 0), slot("b", 1)] } };
  const decision = decideSecret(config, secret, { finished, recorded: undefined }, now);
  return preflightInputOf(config, secret, decision, deployment, "paper");
}

const first = nextState(undefined, { now: at(0), policy, hasAdopted: true });
const second = nextState(first, { now: at(89), policy, hasAdopted: true });
const request = (wish: object) => ({ request: { id: "r", secret: "database/password", reason: "a test", ...wish } });

const CASES: [string, SecretState | undefined, number, Record<string, unknown>][] = [
  ["at first", undefined, 0, {}],
  ["at first, of a value that nobody knows", undefined, 0, { adopted: {} }],
  ["by age", second, 178, { lab: { clock: at(178).toISOString() } }],
  ["of a rotation that is asked for", first, 3, request({ rotate: true })],
  ["that is to overwrite an external write", first, 3, request({ rotate: true, force: true })],
  ["in an emergency", second, 95, request({ rotate: true, emergency: true })],
  ["of a rollback", second, 95, request({ activate: 1 })],
  ["of an adoption", second, 95, request({ adopt: true })],
];

describe.each(["alternating-users", "single-user"])("the preflight of an update and the CLI's own, %s", (strategy) => {
  it.each(CASES)("ask the same: %s", async (_, finished, days, more) => {
    const config = passwords(strategy, more);
    const given = (await asked(config, finished, at(days))) as { services: { name: string }[] };
    expect(given).toEqual(looked(config, finished, at(days)));
    expect(given.services.map(({ name }) => name)).toEqual(["signal-service", "dashboard"]);
  });
});

describe("the preflight of an update and the CLI's own, a password of Redis", () => {
  const redis = { kind: "redis-password", name: "database/password", user: "app", nodes: ["127.0.0.1:6379"] };
  const around = { secrets: [{ ...redis, restart: ["signal-service"] }], audit: { host: "127.0.0.1", name: "audit" } };

  it.each(CASES)("ask the same: %s", async (_, finished, days, more) => {
    const config = passwords("", { ...around, ...more });
    const given = await asked(config, finished, at(days));
    expect(given).toEqual(looked(config, finished, at(days)));
    expect(given).toMatchObject({ redis: { nodes: redis.nodes, user: "app", tls: { mode: "verify-full" } } });
  });
});

describe("the preflight of an update and the CLI's own, a key pair", () => {
  const labels = {
    labels: [A.label, null] as const,
    usedLabels: [A.label],
    slots: [0, -1] as const,
    active: 0 as const,
  };
  const adopted = { ...first, ...labels };

  it.each([
    ["its adoption", settings({ current: A }), undefined],
    ["its rotation", settings({ current: B, previous: A }), adopted],
  ])("ask the same: %s", async (_, config, finished) => {
    expect(await asked(config, finished, at(8))).toEqual(looked(config, finished, at(8)));
  });
});
