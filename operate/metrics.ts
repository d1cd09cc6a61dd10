import { Gauge, Registry } from "prom-client";
import type { StackStatus } from "./read-status";
import type { Standing } from "./status";

const STANDINGS: readonly Standing[] = ["ok", "warning", "alert", "due", "overdue", "new"];
const DAY_SECONDS = 86_400;

/** Prometheus' text on every secret of a stack. Durations are seconds, dates Unix time. */
export async function metricsOf({ stack, environment, secrets, now, logError }: StackStatus): Promise<string> {
  const registry = new Registry();
  const gauge = (name: string, help: string, more: readonly string[] = []) =>
    new Gauge({ name, help, labelNames: ["stack", "environment", "secret", ...more], registers: [registry] });
  const age = gauge("secret_rotation_age_seconds", "Age of the credential in use.");
  const maximum = gauge("secret_rotation_max_age_seconds", "Age that no credential may pass.");
  const due = gauge("secret_rotation_due_timestamp_seconds", "When the next rotation is due.");
  const generation = gauge("secret_rotation_generation", "Generation of the credential in use.");
  const grace = gauge(
    "secret_rotation_previous_valid_until_timestamp_seconds",
    "Until when the credential before stays valid; absent once it has ended.",
  );
  const standing = gauge("secret_rotation_state", "1 for the state that the secret is in.", ["state"]);
  const failed = gauge("secret_rotation_last_failed", "1 where the last row of the audit log says FAILED.");
  for (const secret of secrets) {
    const labels = { stack, environment, secret: secret.name };
    maximum.set(labels, secret.maxAgeDays * DAY_SECONDS);
    for (const state of STANDINGS) standing.set({ ...labels, state }, state === secret.standing ? 1 : 0);
    if (logError === null) failed.set(labels, secret.lastRow?.status === "FAILED" ? 1 : 0);
    if (secret.rotatedAt === null || secret.dueAt === null || secret.generation === null) continue;
    age.set(labels, (Date.parse(now) - Date.parse(secret.rotatedAt)) / 1000);
    due.set(labels, Date.parse(secret.dueAt) / 1000);
    generation.set(labels, secret.generation);
    if (secret.previous !== null && !secret.previous.revoked)
      grace.set(labels, Date.parse(secret.previous.validUntil) / 1000);
  }
  const general = new Gauge({
    name: "secret_rotation_collected_timestamp_seconds",
    help: "When these figures were collected.",
    labelNames: ["stack"],
    registers: [registry],
  });
  general.set({ stack }, Date.parse(now) / 1000);
  const log = new Gauge({
    name: "secret_rotation_audit_log_up",
    help: "1 where the audit log could be read.",
    labelNames: ["stack"],
    registers: [registry],
  });
  log.set({ stack }, logError === null ? 1 : 0);
  return registry.metrics();
}
