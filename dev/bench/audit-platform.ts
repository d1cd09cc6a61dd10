import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { withClient } from "../../audit/connection";
import { migrate } from "../../audit/log";
import { PROJECT } from "../../config";
import { DAY } from "../../core/time";
import { type Postgres, startPostgres } from "../lab/postgres";

/** A project whose stack was deployed long ago, and its audit log on a server of its own: what reading commands need. */
export interface AuditPlatform {
  readonly projectDir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly postgres: Postgres;
  /** Appends rows, or those numbered `first` to `last` of them, through the log's own triggers, evenly over the days until now. */
  fill(rows: number, days: number, first?: number, last?: number): Promise<void>;
  stop(): Promise<void>;
}

const SECRETS = Array.from({ length: 20 }, (_, index) => `service-${index + 1}/password`);
const BATCH = 50_000;

/** Starts the server, migrates the log and writes project and state; about three seconds. */
export async function startAuditPlatform(): Promise<AuditPlatform> {
  const dir = await mkdtemp(join(tmpdir(), "rotation-bench-"));
  let postgres: Postgres | undefined;
  try {
    postgres = await startPostgres({ dir, settings: { log_statement: "none", shared_buffers: "256MB" } });
    const { host, port, adminUser: user, adminPassword: password, database } = postgres;
    const connection = { host, port, user, password, database };
    await migrate(connection);
    const projectDir = join(dir, "project");
    await writeProject(projectDir, join(dir, "state"), postgres);
    const server = postgres;
    return {
      projectDir,
      postgres,
      env: { PULUMI_BACKEND_URL: `file://${join(dir, "state")}`, PGUSER: user, PGPASSWORD: password },
      fill: (rows, days, first = 1, last = rows) =>
        withClient(connection, (client) => fill(client, rows, days, first, last)),
      stop: async () => {
        await server.stop();
        await rm(dir, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await postgres?.stop();
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

async function writeProject(projectDir: string, stateDir: string, { host, port, database }: Postgres): Promise<void> {
  const stacks = join(stateDir, ".pulumi", "stacks", PROJECT);
  await Promise.all([projectDir, stacks].map((folder) => mkdir(folder, { recursive: true })));
  const settings = {
    environment: "prod",
    store: { kind: "vault" },
    services: { api: { health: "http://localhost:8000/health" } },
    secrets: SECRETS.map((name) => ({
      kind: "postgres-password",
      name,
      strategy: "alternating-users",
      role: "app",
      restart: ["api"],
      database: { host, port, name: database, sslmode: "disable" },
    })),
    notify: { email: { host: "mail.example.org", from: "rotation@example.org", to: ["team@example.org"] } },
  };
  const config = Object.fromEntries(Object.entries(settings).map(([key, value]) => [`${PROJECT}:${key}`, value]));
  await writeFile(join(projectDir, "Pulumi.yaml"), JSON.stringify({ name: PROJECT, runtime: "nodejs" }));
  await writeFile(join(projectDir, "Pulumi.prod.yaml"), JSON.stringify({ config }));
  const secrets = Object.fromEntries(SECRETS.map((name) => [name, { kind: "postgres-password", state: state() }]));
  const stack = {
    urn: `urn:pulumi:prod::${PROJECT}::pulumi:pulumi:Stack::${PROJECT}-prod`,
    type: "pulumi:pulumi:Stack",
  };
  const latest = { resources: [{ ...stack, outputs: { secrets } }] };
  await writeFile(join(stacks, "prod.json"), JSON.stringify({ version: 3, checkpoint: { latest } }));
}

/** Ten days old, its predecessor revoked: no reminder is due. */
function state() {
  const at = new Date(Date.now() - 10 * DAY).toISOString();
  return {
    slots: [2, 1],
    active: 0,
    rotatedAt: at,
    filledAt: [at, null],
    labels: [null, null],
    usedLabels: [],
    revoked: true,
    step: { sequence: 3, action: "REVOKE", generation: 1, reason: "", at },
  };
}

async function fill(client: pg.Client, rows: number, days: number, first: number, last: number): Promise<void> {
  for (let from = first; from <= last; from += BATCH) {
    await client.query(
      `INSERT INTO secret_rotation_log (secret_name, rotated_by, rotation_date, status, stack, environment, action,
                                        generation, reason, outputs, duration_seconds, step_key)
       SELECT ($1::text[])[1 + n % array_length($1::text[], 1)], 'github-actions',
              date_trunc('second', now()) - interval '1 day' * $2::float8 * (1 - n::float8 / $3),
              CASE WHEN n % 97 = 0 THEN 'FAILED' ELSE 'SUCCESS' END, 'prod', 'prod',
              CASE WHEN n % 89 = 0 THEN 'ROLLBACK' ELSE 'ROTATE' END, n / array_length($1::text[], 1), 'due by age',
              jsonb_build_object('path', 'secret/prod/password', 'version', n), 41.25, 'prod/' || n
       FROM generate_series($4::bigint, $5::bigint) AS n`,
      [SECRETS, days, rows, from, Math.min(last, from + BATCH - 1)],
    );
  }
  await client.query("ANALYZE secret_rotation_log");
}
