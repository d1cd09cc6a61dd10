// The runbook's part A as a script that polls instead of sleeping: the pipeline is measured against it. It reads all
// addresses from stdin (JSON) and prints when it changed the role (JSON).
import { randomBytes } from "node:crypto";
import { text } from "node:stream/consumers";
import pg from "pg";
import { withHost } from "../../clients/ssh";
import { restartAndWait } from "../../components/restart/restart";
import { restartCommand } from "../../components/restart-command";
import { probeOf } from "../../components/service-probe";
import type { HostConfig, ServiceConfig } from "../../config";
import { messageOf } from "../../core/errors";
import { probeAt } from "../../core/health";
import { scramVerifier } from "../../core/scram";

/** The script's input. */
export interface RunbookInput {
  readonly database: { readonly host: string; readonly port: number; readonly database: string };
  readonly admin: { readonly user: string; readonly password: string };
  readonly role: string;
  readonly vault: { readonly address: string; readonly token: string; readonly path: string };
  readonly host: HostConfig;
  readonly privateKey: string;
  readonly services: readonly { readonly name: string; readonly config: ServiceConfig }[];
}

async function main(): Promise<void> {
  const input = JSON.parse(await text(process.stdin)) as RunbookInput;
  const { database, admin, role, vault, host, privateKey, services } = input;
  // Step 1: a new password.
  const password = randomBytes(18).toString("base64url");
  // Step 2: the role, and a login that proves it.
  const client = new pg.Client({ ...database, ...admin });
  await client.connect();
  const verifier = scramVerifier(password, randomBytes(16).toString("base64"));
  const changedAt = Date.now();
  await client.query(`ALTER ROLE ${pg.escapeIdentifier(role)} PASSWORD ${pg.escapeLiteral(verifier)}`);
  const login = new pg.Client({ ...database, user: role, password });
  await login.connect();
  await login.end();
  // Step 3: the store.
  const stored = await fetch(`${vault.address}/v1/${vault.path}`, {
    method: "POST",
    headers: { "X-Vault-Token": vault.token },
    body: JSON.stringify({ data: { value: password } }),
  });
  if (!stored.ok) throw new Error(`the store answered ${stored.status}`);
  // Step 4: one service after the other, each until it is healthy.
  await withHost("host", host, privateKey, async (run) => {
    for (const { name, config } of services) {
      const [command, probe] = [restartCommand(name, config), probeAt(probeOf(config), host.address)];
      await restartAndWait({ service: name, place: "host", command, probe, timeout: config.timeout }, run);
    }
  });
  // Step 5: the log.
  await client.query(
    "CREATE TABLE IF NOT EXISTS runbook_log (secret_name text, rotated_by text, rotation_date timestamptz, status text)",
  );
  await client.query("INSERT INTO runbook_log VALUES ($1, current_user, now(), 'SUCCESS')", [role]);
  await client.end();
  process.stdout.write(`${JSON.stringify({ changedAt })}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
});
