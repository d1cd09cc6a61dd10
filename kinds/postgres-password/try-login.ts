import { type DatabaseReference, databaseReference, isRefusedLogin, withDatabase } from "../../clients/postgres";
import { messageOf } from "../../clients/run-step";
import { referenceOf } from "../../components/preflight-input";
import { seen } from "../../components/seen";
import type { DatabaseConfig, DatabasePasswordConfig } from "../../config";
import type { LoginSeen } from "../kind-operations";
import type { Login } from "./credentials";

/** How a database is reached, as the run's own login; its password comes from PGPASSWORD or PGPASSFILE. */
export const reachOf = (database: DatabaseConfig): DatabaseReference => databaseReference.parse(referenceOf(database));

type Credential = Pick<Login, "username" | "password">;

/** Really logs in. @throws StepError */
const logIn = ({ database }: DatabasePasswordConfig, { username, password }: Credential): Promise<unknown> =>
  withDatabase({ ...reachOf(database), user: username }, (client) => client.query("SELECT 1"), password);

/** Whether a login works, by really trying; the reason if it is refused. */
export async function tryLogin(
  secret: DatabasePasswordConfig,
  credential: Credential,
): Promise<{ readonly works: boolean; readonly evidence: string }> {
  try {
    await logIn(secret, credential);
    return { works: true, evidence: `${credential.username} logs in` };
  } catch (error) {
    return { works: false, evidence: messageOf(error) };
  }
}

/** The same in bounded time, and told apart from a server that does not answer. Never throws. */
export async function seeLogin(
  secret: DatabasePasswordConfig,
  { generation, ...credential }: Credential & Pick<Login, "generation">,
): Promise<LoginSeen> {
  const answer = await seen(async () => {
    try {
      await logIn(secret, credential);
      return "works" as const;
    } catch (error) {
      if (isRefusedLogin(error)) return "refused" as const;
      throw error;
    }
  });
  return { generation, name: credential.username, of: "database", answer };
}
