import { randomBytes } from "node:crypto";
import { withDatabase } from "../../../clients/postgres";
import { type Config, type PostgresPasswordConfig, referenceOf } from "../../../config";
import { scramVerifier } from "../../../core/scram";
import { sshKeyOf } from "../../../core/ssh-key";
import { keptLists, pathName } from "./schema";
import { verifierOnServer } from "./server-verifier";
import { changeList } from "./userlist";

/**
 * Puts a login that works on the server into every user list that this pipeline keeps.
 *
 * @returns the poolers that have it now
 */
export async function relist(
  config: Pick<Config, "hosts" | "sshPrivateKey" | "sshKeyPassphrase">,
  secret: PostgresPasswordConfig,
  { username, password }: { readonly username: string; readonly password: string },
): Promise<string[]> {
  const lists = keptLists(secret, config.hosts);
  if (lists.length === 0) return [];
  const computed = scramVerifier(password, randomBytes(16).toString("base64"));
  const verifier = await withDatabase(referenceOf(secret.database), (client) =>
    verifierOnServer(client, username, computed, true),
  );
  for (const list of lists) await changeList(list, sshKeyOf(config), { set: { [username]: verifier }, remove: [] });
  return lists.map(({ pooler }) => pathName(pooler));
}
