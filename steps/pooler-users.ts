import * as z from "zod";
import { databaseReference, withDatabase } from "../clients/postgres";
import { sshKey } from "../clients/ssh";
import { scramVerifier } from "../core/scram";
import { secret } from "../core/secret-fields";
import { verifierOnServer } from "../kinds/postgres-password/paths/server-verifier";
import { changeList, keptList } from "../kinds/postgres-password/paths/userlist";
import { runStep } from "./run-step";

const input = z.object({
  /** As the administrator. */
  database: databaseReference,
  lists: z.array(keptList),
  privateKey: sshKey.optional(),
  /** The login that is added or gets another verifier. */
  login: z
    .object({
      username: z.string(),
      password: secret(z.string()),
      /** The verifier's salt: 16 bytes, base64. */
      salt: secret(z.string()),
      /** Whether the password was adopted: then the server may have another verifier of it. */
      adopted: z.boolean(),
    })
    .optional(),
  /** The logins that may not log in any more. */
  remove: z.array(z.string()),
});

/**
 * Keeps the logins in PgBouncer's user lists: verifiers alone, and the same ones as on the server, with which PgBouncer logs
 * in there.
 */
await runStep(input, async ({ database, lists, privateKey, login, remove }) => {
  const set: Record<string, string> = {};
  if (login !== undefined) {
    const { username, password, salt, adopted } = login;
    const verifier = scramVerifier(password, salt);
    set[username] = await withDatabase(database, (client) => verifierOnServer(client, username, verifier, adopted));
  }
  const changed: string[] = [];
  for (const list of lists) if (await changeList(list, privateKey, { set, remove })) changed.push(list.file);
  return { set: Object.keys(set), removed: remove, changed };
});
