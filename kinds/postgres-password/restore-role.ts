import type pg from "pg";
import { StepError } from "../../core/errors";
import { copyRole } from "./login-copy";
import { readRole } from "./login-view";
import { type NewPassword, setPassword } from "./set-password";

/**
 * Gives a role a password by its verifier, which may be known elsewhere too, such as in a pooler's user list, and its login. A
 * login role that was dropped is created again, equal to the owner.
 *
 * @throws StepError if the owner itself was dropped: what it owned is gone too
 */
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
