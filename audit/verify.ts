import type pg from "pg";
import { codeOf } from "../core/errors";
import { HASHED_COLUMNS } from "./canonical";
import type { ChainAnchor, ChainHead } from "./chain";
import { type ChainFindings, ChainWalk } from "./chain-walk";
import { onSnapshot, pagesOf } from "./cursor";
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

const ROWS = `
  SELECT id::text, previous_hash, hash, ${Object.values(HASHED_COLUMNS).join(", ")}
  FROM secret_rotation_log AS log ORDER BY log.id`;

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
      const rows = pagesOf<(string | null)[]>(client, "audit_chain", { text: ROWS, rowMode: "array" });
      for await (const page of rows) {
        for (const [id, previousHash = null, hash = null, ...fields] of page) {
          walk.push({ id: Number(id), previousHash, hash, fields });
        }
      }
      const head = await client.query<Record<"id" | "hash" | "rows", string>>(
        "SELECT id, hash, rows FROM secret_rotation_log_head",
      );
      const triggers = await client.query<{ guarded: boolean }>(TRIGGERS);
      const findings = walk.finish(head.rows[0] && asHead(head.rows[0]));
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

const asHead = (row: Record<"id" | "hash" | "rows", string>): ChainHead => ({
  id: Number(row.id),
  hash: row.hash,
  rows: Number(row.rows),
});
