import type pg from "pg";
import { StepError } from "../../core/errors";
import { differingKeys } from "../../core/login-view";
import { copyStatements, mergedView, type RoleNow, readRole } from "./login-view";

/** The roles of one copy; `from` may be the owner, and may be `to` itself. */
export interface Copy {
  readonly owner: string;
  /** The login in use. */
  readonly from: string;
  /** The login that gets what it has, and what has changed on the owner since the last copy. */
  readonly to: string;
}

/** Copies, in one transaction, what a session of the login in use sees. Returns what differed. */
export async function copyRole(client: pg.ClientBase, { owner, from, to }: Copy): Promise<readonly string[]> {
  await client.query("BEGIN");
  const [theirs, inUse, next] = [
    await existing(client, owner),
    await existing(client, from),
    await existing(client, to),
  ];
  // The preflight refuses what was changed on both sides, unless waiting is worse: then services keep what they have.
  const { view } = mergedView(theirs, inUse);
  const statements = copyStatements(theirs, view, next);
  for (const statement of statements) await client.query(statement);
  await client.query("COMMIT");
  return differingKeys(next.raw, view);
}

async function existing(client: pg.ClientBase, role: string): Promise<RoleNow> {
  const found = await readRole(client, role);
  if (found === undefined) throw new StepError(`the role ${role} does not exist`);
  return found;
}
