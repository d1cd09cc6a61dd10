import type { ClientBase } from "pg";
import type { CountersignedBy } from "../../audit/evidence/anchoring";
import type { KeptWatch } from "../../audit/login-watch";
import { messageOf } from "../../core/errors";
import { rotationCommand } from "./advice";
import type { LogRow } from "./audit-log";
import { readOutputs } from "./outputs";
import type { Project } from "./project";
import { clockOf, type Outline, readOutline } from "./settings";
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
  /** How much of the log is noted outside of the database. Undefined if the config names no place, or the log is not read. */
  readonly countersigned?: CountersignedBy | CountersignedElsewhere;
}

/** If every place needs the network: they are not read for a status. */
export interface CountersignedElsewhere {
  readonly places: readonly string[];
  /** What reads them. */
  readonly command: string;
}

/** The status of every secret of a stack, without starting Pulumi if the state is a file. @throws ConfigError, UsageError */
export async function readStatus(project: Project): Promise<StackStatus> {
  const outline = await readOutline(project);
  const [outputs, log, resources] = await Promise.all([
    readOutputs(project),
    lastRows(project, outline),
    readResources(project),
  ]);
  const now = clockOf(outline);
  return {
    stack: project.stack,
    environment: outline.environment,
    now: now.toISOString(),
    secrets: statusOf(outline, outputs, { rows: log.rows, watches: log.watches, resources }, now),
    logError: log.error,
    ...(log.countersigned === undefined ? {} : { countersigned: log.countersigned }),
  };
}

interface FromLog {
  readonly rows: LogRow[];
  readonly watches: KeptWatch[];
  readonly error: string | null;
  readonly countersigned?: StackStatus["countersigned"];
}

async function lastRows(project: Project, outline: Outline): Promise<FromLog> {
  const { readLog } = await import("./audit-log");
  const { lastRowOfEach } = await import("../../audit/queries");
  const { watchesOf } = await import("../../audit/login-watch");
  const { environment } = outline;
  try {
    const found = await readLog(outline, async (client) => ({
      rows: await lastRowOfEach(client, { environment }),
      watches: await watchesOf(client, { environment }),
      ...(await countersignedIn(client, project, outline)),
    }));
    return { rows: [], watches: [], error: null, ...found };
  } catch (error) {
    // The dates are known without it.
    return { rows: [], watches: [], error: messageOf(error) };
  }
}

/** Reads the places that need no network: each of them has every anchor. */
async function countersignedIn(
  client: ClientBase,
  project: Project,
  outline: Outline,
): Promise<Pick<StackStatus, "countersigned">> {
  const { evidence } = outline;
  const names = Object.keys(evidence?.anchors ?? {});
  if (evidence === undefined || names.length === 0) return {};
  const [{ countersigned }, { isLocal }, { anchorPlaces }] = await Promise.all([
    import("../../audit/evidence/anchoring"),
    import("../../audit/evidence/places"),
    import("./evidence/anchor"),
  ]);
  const local = Object.fromEntries(Object.entries(evidence.anchors).filter(([, config]) => isLocal(config)));
  if (Object.keys(local).length === 0)
    return { countersigned: { places: names, command: rotationCommand(project, "audit verify") } };
  const places = anchorPlaces({ ...outline, evidence: { ...evidence, anchors: local } }, project.stack);
  const found = await countersigned(client, places);
  return { countersigned: { ...found, command: rotationCommand(project, "evidence anchor") } };
}
