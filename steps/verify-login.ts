import type pg from "pg";
import * as z from "zod";
import { databaseReference, isRefusal, withDatabase } from "../clients/postgres";
import { codeOf, messageOf, StepError } from "../core/errors";
import { AGAIN } from "../core/phases";
import { secret } from "../core/secret-fields";
import { copyRole } from "../kinds/postgres-password/login-copy";
import { newSessions, sessionsOf } from "../kinds/postgres-password/old-sessions";
import { databasePath, proveOverPaths } from "../kinds/postgres-password/paths/prove";
import { rehearsalInput } from "../kinds/postgres-password/rehearsal/input";
import { restoreRole } from "../kinds/postgres-password/restore-role";
import { runStep } from "./run-step";

const input = z.object({
  database: databaseReference,
  username: z.string(),
  password: secret(z.string()),
  /** The platform's own role, if the login is one of ours that acts as it. */
  owner: z.string().optional(),
  /** As the administrator, the login in use, whose settings and limits this one gets before it is tried. */
  copy: z.object({ database: databaseReference, from: z.string() }).optional(),
  /** The previous login, if it is another one and still valid. */
  oldLogin: z.string().optional(),
  /** Process ids of its sessions before the restarts; given once all services were restarted. */
  oldSessions: z.array(z.number()).optional(),
  /** Other ways to the database that services use. */
  paths: z.array(databasePath).optional(),
  /** How the login is set again if the server has lost it since: the run's own login, and the verifier's salt. */
  restore: z
    .object({
      database: databaseReference,
      owner: z.string(),
      salt: secret(z.string()),
      as: z.enum(["scram", "plain"]),
    })
    .optional(),
  /** From where services log in with it. Not if the step runs again because its input has changed. */
  rehearsal: rehearsalInput.optional(),
});

/**
 * Logs in anew with a credential and queries the session's user; then over every other path, which may take it later. Fails
 * if the login is refused.
 *
 * Before that, a login of ours is made equal to the login that it replaces, once for each activation.
 *
 * Before the restarts it notes the sessions of the old login; after them it warns of those that began since: the old
 * credential is still in use.
 *
 * A server that refuses a login which was set a moment ago has lost it, as a standby that took over before it had replayed
 * it: then the login is set again.
 */
await runStep(input, async (given, _, again) => {
  const { database, username, password, owner, copy, oldLogin, oldSessions, paths = [], restore, rehearsal } = given;
  const prove = () =>
    withDatabase({ ...database, user: username }, (client) => look(client, oldLogin, oldSessions), password);
  if (copy !== undefined && owner !== undefined && !again)
    await withDatabase(copy.database, (client) => copyRole(client, { owner, from: copy.from, to: username }));
  try {
    const about = await prove().catch(async (error: unknown) => {
      if (restore === undefined || !isRefusal((error as Error).cause)) throw error;
      const { salt, as } = restore;
      await withDatabase(restore.database, (client) =>
        restoreRole(client, restore.owner, { role: username, password, salt, as }),
      );
      const again = await prove();
      const warning = lost(username, error);
      process.stderr.write(`warning: ${warning}\n`);
      return { ...again, warnings: [...(again.warnings ?? []), warning] };
    });
    const proven = await proveOverPaths(paths, { username, password });
    const over = proven.length === 0 ? {} : { paths: proven };
    if (rehearsal === undefined || again || process.argv[2] === AGAIN) return { ...about, ...over };
    const { rehearsed } = await import("../kinds/postgres-password/rehearsal/result");
    const seen = await rehearsed({ ...rehearsal, database, paths, login: { username, password } });
    const warnings = [about, seen].flatMap((said: { readonly warnings?: readonly string[] }) => said.warnings ?? []);
    // Of the old login too, with sessions that a pooler may keep.
    return { ...about, ...(await prove()), ...over, ...seen, ...(warnings.length === 0 ? {} : { warnings }) };
  } catch (error) {
    // The role may log in by now, so it is pg_hba.conf that refuses it.
    if (owner === undefined || username === owner || codeOf((error as Error).cause) !== "28000") throw error;
    throw new StepError(
      `${messageOf(error)}. Expected pg_hba.conf to let ${username} in wherever it lets ${owner} in: write +${owner} ` +
        `for ${owner} there, then \`SELECT pg_reload_conf()\`, and run this again. Store and services are as they were`,
      { cause: error },
    );
  }
});

/** A declaration, since the step runs before a constant below it has its value. */
function lost(username: string, error: unknown): string {
  return (
    `the server had lost the password of ${username} that was set before, as after a failover to a standby that ` +
    `lagged behind; it was set again (${messageOf(error)})`
  );
}

async function look(
  client: pg.Client,
  oldLogin: string | undefined,
  oldSessions: number[] | undefined,
): Promise<Record<string, unknown> & { readonly warnings?: readonly string[] }> {
  const [row] = (await client.query("SELECT session_user AS session, current_user AS acting")).rows;
  const about = { loggedInAs: row.session, actingAs: row.acting };
  if (oldLogin === undefined) return about;
  if (oldSessions === undefined) {
    return { ...about, oldSessions: (await sessionsOf(client, oldLogin)).map(({ pid }) => pid) };
  }
  const warning = await newSessions(client, oldLogin, oldSessions);
  if (warning === undefined) return about;
  process.stderr.write(`warning: ${warning}\n`);
  return { ...about, warnings: [warning] };
}
