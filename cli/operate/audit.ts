import type pg from "pg";
import { withClient } from "../../audit/connection";
import { onSnapshot } from "../../audit/cursor";
import type { CountersignedBy } from "../../audit/evidence/anchoring";
import { migrate, prune } from "../../audit/log";
import { countPrunable, type LogFilter, rowsBetween, rowsForFigures, secretsForFigures } from "../../audit/queries";
import type { Report, ReportRow } from "../../audit/report";
import { asReportRow, ReportBuilder } from "../../audit/report-builder";
import { type ChainAnchor, type ChainVerdict, verifyChain } from "../../audit/verify";
import { operator } from "../../clients/home";
import { policyOf } from "../../config";
import type { Policy } from "../../core/policy";
import { nameOf } from "../../core/resource-names";
import type { SecretState } from "../../core/state";
import { DAY } from "../../core/time";
import { outlookOf } from "../../core/waiting";
import { rotationCommand } from "./advice";
import { auditConnection, readLog } from "./audit-log";
import { OperationError, UsageError } from "./errors";
import { readOutputs } from "./outputs";
import type { Project } from "./project";
import { clockOf, type Outline, readOutline } from "./settings";
import { readCheckpoint } from "./state-file";

const NO_LOG = "there is no secret_rotation_log yet: the first `rotation run` creates it";

/**
 * The row numbers and hashes that the stack's state holds: they reveal a log that was rewritten as a whole. Empty if the
 * state is not a file.
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

/** The chain's verdict, and how many rows were compared with the stack's state. */
export type HeldVerdict = ChainVerdict & {
  readonly anchors: number;
  /** How much of it is noted outside of the database; undefined if the config names no place for that. */
  readonly countersigned?: CountersignedBy;
};

/** The chain's verdict, compared with the stack's state; undefined if there is no log yet. */
export async function verdictIfThere(project: Project): Promise<HeldVerdict | undefined> {
  const outline = await readOutline(project);
  const anchors = anchorsOf(project);
  const verdict = await readLog(outline, (client) => verifyChain(client, { anchors }));
  return verdict && { ...verdict, anchors: anchors.length };
}

/** {@link verdictIfThere}. @throws OperationError if there is no log */
export async function verifyAudit(project: Project): Promise<HeldVerdict> {
  const verdict = await verdictIfThere(project);
  if (verdict === undefined) throw new OperationError(NO_LOG);
  const outline = await readOutline(project);
  const { evidence } = outline;
  if (evidence === undefined || Object.keys(evidence.anchors).length === 0) return verdict;
  const [{ countersigned }, { anchorPlaces }] = await Promise.all([
    import("../../audit/evidence/anchoring"),
    import("./evidence/anchor"),
  ]);
  const places = anchorPlaces({ ...outline, evidence }, project.stack);
  const found = await readLog(outline, (client) => countersigned(client, places));
  if (found === undefined) return verdict;
  return { ...verdict, countersigned: { ...found, command: rotationCommand(project, "evidence anchor") } };
}

/**
 * Makes the report on the time until now.
 * @param last milliseconds
 * @param write receives the report; its rows are read from the log while they are written
 */
export async function makeReport<Result>(
  project: Project,
  last: number,
  write: (report: Report) => Promise<Result>,
): Promise<Result> {
  const outline = await readOutline(project);
  const outputs = await readOutputs(project);
  const { environment } = outline;
  const secrets = outline.secrets.map((secret) => ({
    name: secret.name,
    environment,
    maxAgeDays: policyOf(outline, secret).maxAge / DAY,
    calendar: calendarWords(outputs[secret.name]?.state, policyOf(outline, secret), clockOf(outline)),
    strategy: outputs[secret.name]?.strategy ?? secret.kind,
    store: outline.store.kind,
  }));
  return fromLog(outline, last, async (time, now) => {
    const [client, from, to] = time;
    const chain = await verifyChain(client, { anchors: anchorsOf(project) });
    return onSnapshot(client, async () => {
      const builder = new ReportBuilder(secrets, await secretsForFigures(...time), { from, to, now, chain });
      for await (const row of rowsForFigures(...time)) builder.push(row);
      return write({ ...builder.figures(), rows: reportRows(...time) });
    });
  });
}

/** That no window is left, or what the secret waits for; undefined if there is nothing to say. */
function calendarWords(state: SecretState | undefined, policy: Policy, now: Date): string | undefined {
  const outlook = state && outlookOf(state, policy, now);
  return outlook?.alarm === undefined ? outlook?.waits : `ALARM: ${outlook.alarm}`;
}

/**
 * Writes the rows of a report, without its figures. The chain's verdict comes beside them: the format has no place for it,
 * and the reader of the rows must know it.
 * @param last milliseconds
 */
export async function exportRows<Result>(
  project: Project,
  last: number,
  write: (found: Pick<Report, "rows"> & { readonly chain: ChainVerdict }) => Promise<Result>,
): Promise<Result> {
  return fromLog(await readOutline(project), last, async (time) => {
    const chain = await verifyChain(time[0], { anchors: anchorsOf(project) });
    return onSnapshot(time[0], () => write({ rows: reportRows(...time), chain }));
  });
}

type LogTime = [client: pg.Client, from: Date, to: Date, filter: LogFilter];

/** Reads the rows of an environment until now. @throws OperationError if there is no log */
async function fromLog<Result>(
  outline: Outline,
  last: number,
  read: (time: LogTime, now: Date) => Promise<Result>,
): Promise<Result> {
  const now = clockOf(outline);
  // Half-open: a row of this millisecond belongs to it.
  const to = new Date(now.getTime() + 1);
  const from = new Date(now.getTime() - last);
  const { environment } = outline;
  const found = await readLog(outline, async (client) => ({
    result: await read([client, from, to, { environment }], now),
  }));
  if (found === undefined) throw new OperationError(NO_LOG);
  return found.result;
}

async function* reportRows(...time: LogTime): AsyncGenerator<ReportRow> {
  for await (const row of rowsBetween(...time)) yield asReportRow(row);
}

/**
 * Creates or upgrades the log's tables, as the login of PGUSER (the config's `admin` is the pipeline's).
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
  /** ISO 8601; the rows before this date. */
  readonly before: string;
  readonly rows: number;
}

/**
 * How many rows are older than a date, two years ago by default.
 * @throws UsageError for a date within the last two years, OperationError if there is no log
 */
export async function prunable(project: Project, before?: Date): Promise<Prunable> {
  // Retention goes by the real date, also if a lab has a calendar of its own.
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
