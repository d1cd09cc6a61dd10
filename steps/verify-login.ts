import { z } from "zod";
import { databaseReference, withDatabase } from "./database";
import { runStep } from "./run-step";

const input = z.object({ database: databaseReference, username: z.string(), password: z.string() });

/** Logs in anew with a credential and asks who it is. Fails where the login is refused. */
await runStep(input, async ({ database, username, password }) => {
  const [row] = await withDatabase(
    { ...database, user: username },
    async (client) => (await client.query("SELECT session_user AS session, current_user AS acting")).rows,
    password,
  );
  return { loggedInAs: row.session, actingAs: row.acting };
});
