import { randomBytes } from "node:crypto";
import { withDatabase } from "../../clients/postgres";
import { type PostgresPasswordConfig, referenceOf } from "../../config";
import type { Login } from "../own-password/credentials";
import { readRole } from "./login-view";
import { restoreRole } from "./restore-role";

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
