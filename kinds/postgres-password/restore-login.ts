import { randomBytes } from "node:crypto";
import type pg from "pg";
import { withDatabase } from "../../clients/postgres";
import { type PostgresPasswordConfig, referenceOf } from "../../config";
import { StepError } from "../../core/errors";
import type { Login } from "../own-password/credentials";
import { copyRole } from "./login-copy";
import { readRole } from "./login-view";
import { type NewPassword, setPassword } from "./set-password";

/** Whether the database has the role. @throws StepError if it cannot be asked */
export const exists = ({ database }: PostgresPasswordConfig, role: string): Promise<boolean> =>
  withDatabase(referenceOf(database), async (client) => (await readRole(client, role)) !== undefined);

/**
 * Gives the role in use the password that this stack knows, and its login. Only a verifier reaches the server. One of the
 * two login roles that was dropped is created again, equal to the owner.
 *
 * @throws StepError if the owner itself was dropped: what it owned is gone too
 */
export function restoreLogin(
  { database, role: owner, passwordAs: as = "scram" }: PostgresPasswordConfig,
  { username, password }: Login,
): Promise<void> {
  const salt = randomBytes(16).toString("base64");
  return withDatabase(referenceOf(database), (client) =>
    restoreRole(client, owner, { role: username, password, salt, as }),
  );
}

/** {@link restoreLogin} with a verifier that is known elsewhere too, such as in a pooler's user list. */
export async function restoreRole(client: pg.ClientBase, owner: string, login: NewPassword): Promise<void> {
  if ((await readRole(client, login.role)) === undefined) await createLogin(client, owner, login.role);
  await setPassword(client, login);
  await client.query(`ALTER ROLE ${client.escapeIdentifier(login.role)} LOGIN`);
}

/** As the first rotation creates it: a member of the owner that acts as the owner from login on. */
async function createLogin(client: pg.ClientBase, owner: string, username: string): Promise<void> {
  if (username === owner)
    throw new StepError(`the role ${owner} was dropped, and what it owned with it: restore the database from a backup`);
  const [role, of] = [client.escapeIdentifier(username), client.escapeIdentifier(owner)];
  await client.query(`CREATE ROLE ${role} NOLOGIN INHERIT IN ROLE ${of}`);
  await client.query(`ALTER ROLE ${role} SET role = ${of}`);
  await copyRole(client, { owner, from: owner, to: username });
}
