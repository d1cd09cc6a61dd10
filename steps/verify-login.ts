import { randomBytes } from "node:crypto";
import pg from "pg";
import * as z from "zod";
import { scramVerifier } from "../rotation/scram";
import { secret } from "../rotation/secret-fields";
import { type DatabaseReference, databaseReference, isRefusedLogin, withDatabase } from "./database";
import { newSessions, sessionsOf } from "./old-sessions";
import { runStep } from "./run-step";

const input = z.object({
  database: databaseReference,
  username: z.string(),
  password: secret(z.string()),
  /** Who may mend the role where the login is refused; without it, a refused login fails. */
  admin: databaseReference.optional(),
  /** The login before, where it is another one and still valid. */
  oldLogin: z.string().optional(),
  /** Process ids of its sessions before anything was restarted; given once all services were. */
  oldSessions: z.array(z.number()).optional(),
});

/**
 * Logs in anew with a credential and asks who it is. Where the login is refused, an update that was killed may have
 * changed the role and died before that was in the state: the engine then sees nothing to change. With `admin` the role
 * is set right and tried once more. Fails where the login is refused still.
 *
 * Before the restarts it notes the sessions of the old login; after them it warns of those that began since: somebody
 * goes on using the old credential.
 */
await runStep(input, async ({ database, username, password, admin, oldLogin, oldSessions }) => {
  const logIn = () =>
    withDatabase({ ...database, user: username }, (client) => look(client, oldLogin, oldSessions), password);
  try {
    return await logIn();
  } catch (error) {
    if (admin === undefined || !isRefusedLogin(error)) throw error;
    await setRight(admin, username, password);
    return { ...(await logIn()), mended: "the role was not as the last update had left it" };
  }
});

async function look(client: pg.Client, oldLogin: string | undefined, oldSessions: number[] | undefined) {
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

/** The login and the password's verifier, as the role's resource sets them. The password stays here. */
async function setRight(admin: DatabaseReference, username: string, password: string): Promise<void> {
  const verifier = scramVerifier(password, randomBytes(16).toString("base64"));
  const role = pg.escapeIdentifier(username);
  await withDatabase(admin, (client) =>
    client.query(`ALTER ROLE ${role} WITH LOGIN PASSWORD ${pg.escapeLiteral(verifier)}`),
  );
}
