import { Gauge, Registry } from "prom-client";
import type { ChainVerdict } from "../../audit/verify";
import type { StackStatus } from "./read-status";
import { STANDINGS } from "./status";

const DAY_SECONDS = 86_400;

/**
 * Prometheus' text on every secret of a stack. Durations are seconds, dates Unix time.
 * @param chain the audit log's verdict, if requested
 */
export async function metricsOf(
  { stack, environment, secrets, now, logError }: StackStatus,
  chain?: Pick<ChainVerdict, "valid" | "guarded" | "rows">,
): Promise<string> {
  const registry = new Registry();
  const gauge = (name: string, help: string, more: readonly string[] = []) =>
    new Gauge({ name, help, labelNames: ["stack", "environment", "secret", ...more], registers: [registry] });
  const age = gauge("secret_rotation_age_seconds", "Age of the credential in use; absent if it is unknown.");
  const maximum = gauge("secret_rotation_max_age_seconds", "Maximum age of the credential.");
  const due = gauge("secret_rotation_due_timestamp_seconds", "When the next rotation is due.");
  const generation = gauge("secret_rotation_generation", "Generation of the credential in use.");
  const grace = gauge(
    "secret_rotation_previous_valid_until_timestamp_seconds",
    "Until when the previous credential stays valid; absent once it is revoked.",
  );
  const opens = gauge(
    "secret_rotation_next_window_timestamp_seconds",
    "When the next rotation by age may begin; only if the config limits that, and absent if no window is in sight.",
  );
  const left = gauge(
    "secret_rotation_windows_left",
    "Windows left before the maximum age; only if the config limits when rotations run.",
  );
  const paused = gauge(
    "secret_rotation_paused_until_timestamp_seconds",
    "Until when rotations by age are paused; only if the config pauses them.",
  );
  const standing = gauge("secret_rotation_state", "1 for the state that the secret is in.", ["state"]);
  const failed = gauge("secret_rotation_last_failed", "1 if the last row of the audit log says FAILED.");
  for (const secret of secrets) {
    const labels = { stack, environment, secret: secret.name };
    maximum.set(labels, secret.maxAgeDays * DAY_SECONDS);
    for (const state of STANDINGS) standing.set({ ...labels, state }, state === secret.standing ? 1 : 0);
    if (logError === null) failed.set(labels, secret.lastRow?.status === "FAILED" ? 1 : 0);
    if (secret.generation !== null) generation.set(labels, secret.generation);
    if (secret.window !== undefined) left.set(labels, secret.window.left);
    if (secret.window?.opensAt) opens.set(labels, Date.parse(secret.window.opensAt) / 1000);
    if (secret.paused !== undefined) paused.set(labels, Date.parse(secret.paused.until) / 1000);
    // A lease has no age that counts: it is never due.
    if (secret.rotatedAt === null || secret.dueAt === null) continue;
    // An unknown age has no figure: the state says `due`.
    if (secret.inUseBefore === null) age.set(labels, (Date.parse(now) - Date.parse(secret.rotatedAt)) / 1000);
    due.set(labels, Date.parse(secret.dueAt) / 1000);
    if (secret.previous !== null && !secret.previous.revoked)
      grace.set(labels, Date.parse(secret.previous.validUntil) / 1000);
  }
  const ofStack = (name: string, help: string, value: number) =>
    new Gauge({ name, help, labelNames: ["stack", "environment"], registers: [registry] }).set(
      { stack, environment },
      value,
    );
  ofStack("secret_rotation_collected_timestamp_seconds", "When these figures were collected.", Date.parse(now) / 1000);
  ofStack("secret_rotation_audit_log_up", "1 if the audit log could be read.", logError === null ? 1 : 0);
  if (chain !== undefined) {
    const sound = chain.valid && chain.guarded;
    ofStack(
      "secret_rotation_audit_chain_valid",
      "1 if no row was changed and the triggers are in force.",
      sound ? 1 : 0,
    );
    ofStack("secret_rotation_audit_log_rows", "Rows of the audit log.", chain.rows);
  }
  return registry.metrics();
}
