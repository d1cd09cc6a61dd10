import type pg from "pg";
import { codeOf } from "../core/errors";
import type { ChainAnchor } from "./chain";
import { chainRows, notedHead } from "./chain-rows";
import { type ChainFindings, ChainWalk } from "./chain-walk";
import { onSnapshot } from "./cursor";
import { AuditLogError } from "./errors";

export type { ChainAnchor, ChainProblem, ProblemKind } from "./chain";

/** What {@link verifyChain} takes. */
export interface VerifyOptions {
  /**
   * Rows of the chain as noted elsewhere, such as in the stack's outputs: without one, an attacker who may alter the
   * whole database can rewrite the whole chain, or cut off its end, unnoticed.
   */
  anchors?: readonly ChainAnchor[];
}

/** The chain's verdict. */
export interface ChainVerdict extends ChainFindings {
  /** Every row is as it was written, in its place, and none is missing. */
  readonly valid: boolean;
  /** The triggers that chain the rows and refuse UPDATE, DELETE and TRUNCATE are in force. */
  readonly guarded: boolean;
}

const TRIGGERS = `
  SELECT count(*) FILTER (WHERE tgenabled IN ('O', 'A')) = 4 AS guarded FROM pg_trigger
  WHERE tgrelid = 'secret_rotation_log'::regclass AND tgname LIKE 'secret_rotation_log_%'`;

/**
 * Recomputes every row's hash here, from the row's text, and follows the chain through one snapshot of the log, in
 * constant memory. Writers are not blocked. Needs SELECT alone; opens a transaction of its own.
 * @throws AuditLogError if there is no log, or one that was not migrated yet.
 */
export async function verifyChain(client: pg.ClientBase, options: VerifyOptions = {}): Promise<ChainVerdict> {
  const walk = new ChainWalk(options.anchors);
  try {
    return await onSnapshot(client, async () => {
      for await (const row of chainRows(client)) walk.push(row);
      const head = await notedHead(client);
      const triggers = await client.query<{ guarded: boolean }>(TRIGGERS);
      const findings = walk.finish(head);
      return { valid: findings.problems.length === 0, ...findings, guarded: triggers.rows[0]?.guarded ?? false };
    });
  } catch (error) {
    if (!["42P01", "42703"].includes(codeOf(error) ?? "")) throw error;
    throw new AuditLogError(
      `secret_rotation_log has no hash chain here: ${(error as Error).message}. The first row that a rotation writes makes one; check the database and the search path.`,
      { cause: error },
    );
  }
}
