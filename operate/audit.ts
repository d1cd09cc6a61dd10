import { withClient } from "../audit/connection";
import { migrate, prune } from "../audit/log";
import { countPrunable, rowsForReport } from "../audit/queries";
import { buildReport, type Report } from "../audit/report";
import { type ChainAnchor, type ChainVerdict, verifyChain } from "../audit/verify";
import { policyOf } from "../config";
import { operator } from "./audit-failure";
import { auditConnection, readLog } from "./audit-log";
import { nameOf } from "./engine-names";
import { OperationError, UsageError } from "./errors";
import { readOutputs } from "./outputs";
import type { Project } from "./project";
import { clockOf, readOutline } from "./settings";
import { readCheckpoint } from "./state-file";

const DAY = 86_400_000;
const NO_LOG = "secret_rotation_log is not there yet: the first `rotation run` makes it";

/**
 * Rows of the log as the stack's own state noted them when they were written: somebody who rewrites the whole log does
 * not know of these. Empty where the state is not a file.
 */
export function anchorsOf(project: Project): ChainAnchor[] {
  const resources = readCheckpoint(project)?.resources ?? [];
  return resources.flatMap(({ urn, outputs }) => {
    const line = outputs?.stdout;
    if (!nameOf(urn).endsWith("-audit-row") || typeof line !== "string" || line === "") return [];
    try {
      const { row, hash } = JSON.parse(line) as { row?: number; hash?: string };
      return row === undefined || hash === undefined ? [] : [{ id: row, hash }];
    } catch {
      return [];
    }
  });
}

/** The chain's verdict, and how many rows the stack's state noted. */
export type HeldVerdict = ChainVerdict & { readonly anchors: number };

/** The chain's verdict, held to the stack's state; undefined where there is no log yet. */
export async function verdictIfThere(project: Project): Promise<HeldVerdict | undefined> {
  const outline = await readOutline(project);
  const anchors = anchorsOf(project);
  const verdict = await readLog(outline, (client) => verifyChain(client, { anchors }));
  return verdict && { ...verdict, anchors: anchors.length };
}

/** {@link verdictIfThere}. @throws OperationError where there is no log */
export async function verifyAudit(project: Project): Promise<HeldVerdict> {
  const verdict = await verdictIfThere(project);
  if (verdict === undefined) throw new OperationError(NO_LOG);
  return verdict;
}

/** The report on the time until now. @param last milliseconds */
export async function makeReport(project: Project, last: number): Promise<Report> {
  const outline = await readOutline(project);
  const { environment } = outline;
  const now = clockOf(outline);
  // Half-open: what was written this very moment belongs to it.
  const to = new Date(now.getTime() + 1);
  const from = new Date(now.getTime() - last);
  const [outputs, found] = await Promise.all([
    readOutputs(project),
    readLog(outline, async (client) => ({
      rows: await rowsForReport(client, from, to, { environment }),
      chain: await verifyChain(client, { anchors: anchorsOf(project) }),
    })),
  ]);
  if (found === undefined) throw new OperationError(NO_LOG);
  const secrets = outline.secrets.map((secret) => ({
    name: secret.name,
    environment,
    maxAgeDays: policyOf(outline, secret).maxAge / DAY,
    strategy: outputs[secret.name]?.strategy ?? secret.kind,
    store: outline.store.kind,
  }));
  return buildReport(found.rows, secrets, { from, to, now, chain: found.chain });
}

/**
 * Makes or upgrades the log's tables, as the login of PGUSER (the config's `admin` is the pipeline's).
 * @returns the migrations that ran now
 */
export async function migrateAudit(project: Project): Promise<string[]> {
  const connection = auditConnection(await readOutline(project));
  return migrate({ ...connection, user: project.env.PGUSER ?? connection.user });
}

/** The newest date that retention may reach: two years ago. */
export function retentionLimit(now: Date): Date {
  const limit = new Date(now);
  limit.setUTCFullYear(limit.getUTCFullYear() - 2);
  return limit;
}

/** The rows that retention may remove. */
export interface Prunable {
  /** The rows before this date, ISO 8601, are meant. */
  readonly before: string;
  readonly rows: number;
}

/**
 * How many rows are older than a date, two years ago by default.
 * @throws UsageError for a date within the last two years, OperationError where there is no log
 */
export async function prunable(project: Project, before?: Date): Promise<Prunable> {
  // The log is kept by the days of the world, also where a lab has a calendar of its own.
  const limit = retentionLimit(new Date());
  const date = before ?? limit;
  if (date > limit) {
    throw new UsageError(
      `--before: rows of the last two years are kept; expected a date up to ${limit.toISOString().slice(0, 10)}, found ${date.toISOString().slice(0, 10)}`,
    );
  }
  const rows = await readLog(await readOutline(project), (client) => countPrunable(client, date));
  if (rows === undefined) throw new OperationError(NO_LOG);
  return { before: date.toISOString(), rows };
}

/**
 * Removes the rows before a date and logs that, as the login of PGUSER, which must be the log's owner.
 * @returns how many were removed
 * @throws AuditLogError for any other login
 */
export async function pruneAudit(project: Project, { before }: Prunable): Promise<{ removed: number; before: string }> {
  const outline = auditConnection(await readOutline(project));
  const connection = { ...outline, user: project.env.PGUSER ?? outline.user };
  const removed = await withClient(connection, (client) => prune(client, new Date(before), operator(project.env)));
  return { removed, before };
}
