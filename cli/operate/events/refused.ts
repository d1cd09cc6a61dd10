import { eventTargets } from "../../../config";
import { messageOf } from "../../../core/errors";
import { failedData, receiversOf } from "../../../core/events";
import { auditConnection } from "../audit-log";
import type { PreflightResult } from "../preflight";
import { cleaned, generationOf, type RunContext } from "../run-context";
import { clockOf } from "../settings";

/** Records that a run was refused by its first checks, before any update. If that fails, the run says so and goes on. */
export async function recordRefusal(context: RunContext, results: readonly PreflightResult[]): Promise<void> {
  const { config, project, before, listener } = context;
  const targets = receiversOf("failed", eventTargets(config.events));
  if (targets.length === 0) return;
  const { environment } = config;
  try {
    const [{ withClient }, { migrateIfNeeded }, { recordEvent }] = await Promise.all([
      import("../../../audit/connection"),
      import("../../../audit/migrate"),
      import("../../../audit/outbox"),
    ]);
    await withClient(auditConnection(config), async (client) => {
      await migrateIfNeeded(client);
      for (const { secret, checks, ok } of results) {
        if (ok) continue;
        const failed = checks.filter((check) => !check.ok).map(({ name, evidence }) => `${name}: ${evidence}`);
        const reason = cleaned(context, failed.join("; "));
        const facts = { stack: project.stack, environment, secret, action: null, reason };
        const generation = generationOf(before[secret]?.state);
        const data = failedData({ ...facts, generation }, { phase: "preflight" });
        await recordEvent(client, { type: "failed", time: clockOf(config), data, targets });
      }
    });
  } catch (error) {
    listener.note(`the event of this failure could not be recorded: ${cleaned(context, messageOf(error))}`);
  }
}
