import type { LogRow } from "../../../cli/operate/audit-log";
import type { StoredResource } from "../../../cli/operate/state-file";
import { statusOf } from "../../../cli/operate/status";
import { pageOf, type StatusPage } from "../../../cli/operate/status-page";
import { parseConfig } from "../../../config";
import { DEFAULT_POLICY } from "../../../core/policy";
import type { SecretState } from "../../../core/state";

/** A platform with a secret for each thing that the page has to say. */

const service = (...hosts: string[]) => ({ hosts, health: "http://{address}:8000/health" });
const database = { host: "db.internal", name: "trader" };
const password = (name: string, more: object = {}) => ({
  kind: "postgres-password",
  name,
  role: name.replaceAll("/", "_"),
  usernamePath: `${name}_user`,
  database,
  restart: ["signal-service", "orchestrator", "execution-gateway"],
  ...more,
});
const host = { address: "10.0.0.1", user: "deploy", hostKey: "ssh-ed25519 AAAA" };
const weekend = { days: ["SAT", "SUN"], from: "02:00", to: "05:00", timezone: "America/New_York" };

const CONFIG = {
  environment: "prod",
  store: { kind: "vault" },
  hosts: { "trading-1": host, "trading-2": host },
  services: {
    "signal-service": service("trading-1", "trading-2"),
    orchestrator: service("trading-1"),
    "execution-gateway": service(),
  },
  window: weekend,
  market: { exchange: "XNYS" },
  sshPrivateKey: "x",
  secrets: [
    password("database/password"),
    password("reports/password", { paused: { until: "2026-12-20", reason: "migration of the reports" } }),
    password("risk/password", { blackouts: ["2026-11-01/2027-01-10"] }),
    password("ledger/password"),
    password("archive/password"),
  ],
};

export const NOW = new Date("2026-12-02T12:00:00Z");

const outline = parseConfig(
  Object.fromEntries(
    Object.entries(CONFIG).map(([key, value]) => [
      `secret-rotation:${key}`,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  ),
  "prod",
);

function state(rotatedAt: string, generation = 4): SecretState {
  return {
    slots: [generation - 1, generation],
    active: 1,
    rotatedAt,
    filledAt: [rotatedAt, rotatedAt],
    labels: [null, null],
    usedLabels: [],
    revoked: true,
    step: { sequence: 7, action: "ROTATE", generation, reason: "due by age", at: rotatedAt },
  };
}

const STATES: Readonly<Record<string, SecretState>> = {
  "database/password": state("2026-09-07T20:10:00Z"),
  "reports/password": state("2026-08-25T07:10:00Z"),
  "risk/password": state("2026-10-03T07:10:00Z"),
  "ledger/password": { ...state("2026-12-02T07:10:00Z", 9), revoked: false },
};

const URN = "urn:pulumi:prod::secret-rotation::secret-rotation:index:PostgresPassword";
const command = (name: string, inside: string, step: string, modified: string): StoredResource => ({
  urn: `${URN}${inside}$command:local:Command::${name}`,
  type: "command:local:Command",
  custom: true,
  modified,
  inputs: { create: `node dist/steps/${step}.mjs` },
});

/** The last rotation of a secret; without an audit row, one that stopped at its second restart. */
export function runOf(slug: string, day: string, isOver = true): StoredResource[] {
  const at = (time: string) => `${day}T07:${time}Z`;
  const restart = "$secret-rotation:index:RollingRestart";
  return [
    command(`${slug}-preflight-checks`, "$secret-rotation:index:Preflight", "preflight", at("00:11")),
    {
      urn: `${URN}$random:index/randomPassword:RandomPassword::${slug}-slot-a-password`,
      type: "random:index/randomPassword:RandomPassword",
      custom: true,
      modified: at("00:12"),
    },
    command(`${slug}-login-a-set`, "$secret-rotation:index:LoginRole", "set-role", at("00:14")),
    command(`${slug}-verify-login`, "", "verify-login", at("00:15")),
    command(`${slug}-database-password`, "", "store-write", at("00:17")),
    command(`${slug}-restart-signal-service-trading-1`, restart, "restart-service", at("00:31")),
    command(
      `${slug}-restart-signal-service-trading-2`,
      restart,
      "restart-service",
      isOver ? at("00:46") : "2026-06-01T00:00:00Z",
    ),
    command(
      `${slug}-restart-orchestrator-trading-1`,
      restart,
      "restart-service",
      isOver ? at("01:02") : "2026-06-01T00:00:00Z",
    ),
    command(
      `${slug}-restart-execution-gateway`,
      restart,
      "restart-service",
      isOver ? at("01:15") : "2026-06-01T00:00:00Z",
    ),
    command(
      `${slug}-audit-row`,
      "$secret-rotation:index:AuditRecord",
      "audit-record",
      isOver ? at("01:17") : "2026-06-01T00:01:00Z",
    ),
  ];
}

export function examplePage(
  more: { readonly resources?: readonly StoredResource[]; readonly reason?: string } = {},
): StatusPage {
  const outputs = Object.fromEntries(
    Object.entries(STATES).map(([name, own]) => [name, { state: own, store: "vault" }]),
  );
  const row = (secretName: string, status: string, reason: string | null): LogRow =>
    ({
      id: 3,
      secretName,
      rotatedBy: "pipeline",
      rotationDate: new Date("2026-12-02T07:11:17Z"),
      status,
      reason,
      stack: "prod",
      environment: "prod",
      action: "ROTATE",
      generation: 9,
      outputs: null,
      durationSeconds: 76,
      recordedAt: null,
    }) as unknown as LogRow;
  const rows = [
    row("ledger/password", "SUCCESS", "due by age"),
    row("risk/password", "FAILED", more.reason ?? "preflight: trading-2 does not answer"),
  ];
  const resources = more.resources ?? [
    ...runOf("ledger-password", "2026-12-02"),
    ...runOf("database-password", "2026-09-07"),
  ];
  const status = {
    stack: "prod",
    environment: "prod",
    now: NOW.toISOString(),
    logError: null,
    secrets: statusOf({ ...outline, policy: DEFAULT_POLICY }, outputs, { rows }, NOW),
  };
  return pageOf({ dir: process.cwd(), stack: "prod" }, status, { outline, resources });
}
