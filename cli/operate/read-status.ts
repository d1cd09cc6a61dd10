import type { KeptWatch } from "../../audit/login-watch";
import { messageOf } from "../../core/errors";
import type { LogRow } from "./audit-log";
import { readOutputs } from "./outputs";
import type { Project } from "./project";
import { clockOf, readOutline } from "./settings";
import { readResources } from "./state-resources";
import { type SecretStatus, statusOf } from "./status";

/** The answer of `rotation status`. */
export interface StackStatus {
  readonly stack: string;
  readonly environment: string;
  readonly now: string;
  readonly secrets: readonly SecretStatus[];
  /** Why the audit log could not be read; null if it was. */
  readonly logError: string | null;
}

/** The status of every secret of a stack, without starting Pulumi if the state is a file. @throws ConfigError, UsageError */
export async function readStatus(project: Project): Promise<StackStatus> {
  const outline = await readOutline(project);
  const [outputs, log, resources] = await Promise.all([
    readOutputs(project),
    lastRows(outline),
    readResources(project),
  ]);
  const now = clockOf(outline);
  return {
    stack: project.stack,
    environment: outline.environment,
    now: now.toISOString(),
    secrets: statusOf(outline, outputs, { rows: log.rows, watches: log.watches, resources }, now),
    logError: log.error,
  };
}

async function lastRows(
  outline: Awaited<ReturnType<typeof readOutline>>,
): Promise<{ rows: LogRow[]; watches: KeptWatch[]; error: string | null }> {
  const { readLog } = await import("./audit-log");
  const { lastRowOfEach } = await import("../../audit/queries");
  const { watchesOf } = await import("../../audit/login-watch");
  const { environment } = outline;
  try {
    const found = await readLog(outline, async (client) => ({
      rows: await lastRowOfEach(client, { environment }),
      watches: await watchesOf(client, { environment }),
    }));
    return { rows: [], watches: [], error: null, ...found };
  } catch (error) {
    // The dates are known without it.
    return { rows: [], watches: [], error: messageOf(error) };
  }
}
