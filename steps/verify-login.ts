import { z } from "zod";
import { databaseReference, withDatabase } from "./database";
import { newSessions, sessionsOf } from "./old-sessions";
import { runStep } from "./run-step";

const input = z.object({
  database: databaseReference,
  username: z.string(),
  password: z.string(),
  /** The login before, where it is another one and still valid. */
  oldLogin: z.string().optional(),
  /** Process ids of its sessions before anything was restarted; given once all services were. */
  oldSessions: z.array(z.number()).optional(),
});

/**
 * Logs in anew with a credential and asks who it is. Fails where the login is refused. Before the restarts it notes the
 * sessions of the old login; after them it warns of those that began since: somebody goes on using the old credential.
 */
await runStep(input, async ({ database, username, password, oldLogin, oldSessions }) =>
  withDatabase(
    { ...database, user: username },
    async (client) => {
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
    },
    password,
  ),
);
