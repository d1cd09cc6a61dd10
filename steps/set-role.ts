import pg from "pg";
import * as z from "zod";
import { type DatabaseReference, databaseReference, tryLogin, withDatabase } from "../clients/postgres";
import { StepError } from "../core/errors";
import { secret } from "../core/secret-fields";
import { setPassword } from "../kinds/postgres-password/set-password";
import { runStep } from "./run-step";

const input = z.object({
  database: databaseReference,
  role: z.string(),
  /** Whether it may log in. */
  login: z.boolean(),
  /** Set if the role is to log in with it. It stays here: the server gets the verifier alone. */
  password: secret(z.string()).optional(),
  /** The verifier's salt: 16 bytes, base64. */
  salt: secret(z.string()).optional(),
  /** In which form the server gets the password. */
  as: z.enum(["scram", "plain"]).default("scram"),
});

/**
 * Changes a role's login and its password, and nothing else: memberships, settings and attributes belong to others. A role
 * that is already as it should be stays untouched.
 */
await runStep(input, async ({ database, role, login, password, salt, as }) => {
  const now = await withDatabase(database, (client) => loginOf(client, role));
  if (now === undefined) throw new StepError(`the role ${role} does not exist`);
  const isSet =
    !login || password === undefined || salt === undefined || (now && (await isInUse(database, role, password)));
  const may = login ? "LOGIN" : "NOLOGIN";
  if (isSet && now === login) return { role, login, changed: [] };
  await withDatabase(database, async (client) => {
    if (!isSet) await setPassword(client, { role, password, salt, as });
    if (now !== login) await client.query(`ALTER ROLE ${pg.escapeIdentifier(role)} ${may}`);
  });
  return { role, login, changed: [...(now === login ? [] : [may]), ...(isSet ? [] : ["PASSWORD"])] };
});

async function loginOf(client: pg.ClientBase, role: string): Promise<boolean | undefined> {
  const { rows } = await client.query("SELECT rolcanlogin FROM pg_roles WHERE rolname = $1", [role]);
  return rows[0]?.rolcanlogin;
}

/** If pg_hba.conf allows the role without a password (`trust`), a login proves nothing: then the password is set. */
async function isInUse(database: DatabaseReference, role: string, password: string): Promise<boolean> {
  return (await logsIn(database, role, password)) && !(await logsIn(database, role, `not ${password}`));
}

/** If that is unknown (for example since no connection is free), the same password is set again. */
async function logsIn(database: DatabaseReference, username: string, password: string): Promise<boolean> {
  return (await tryLogin(database, { username, password })).outcome === "works";
}
