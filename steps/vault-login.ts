import * as z from "zod";
import { databaseReference, withDatabase } from "../clients/postgres";
import { fingerprinted } from "../core/fingerprints";
import { secret } from "../core/secret-fields";
import { readLogin, vaultRole } from "../kinds/vault-engine/role";
import { vaultOf } from "../stores";
import { storeReference } from "../stores/schemas";
import { runStep } from "./run-step";

const input = z.object({
  store: storeReference,
  role: vaultRole,
  database: databaseReference,
  /** What the password's fingerprint is made with; undefined: none is kept. */
  keep: z.object({ fingerprintKey: secret(z.string()), generation: z.number() }).optional(),
});

/**
 * Logs in with what Vault hands out to the services, and queries the session's user. The password goes nowhere else; its
 * fingerprint is in the answer.
 */
await runStep(input, async ({ store, role, database, keep }) => {
  const { username, password, last_vault_rotation } = await readLogin(vaultOf(store), role);
  const [row] = await withDatabase(
    { ...database, user: username },
    async (client) => (await client.query("SELECT session_user AS session, current_user AS acting")).rows,
    password,
  );
  const answer = { loggedInAs: row.session, actingAs: row.acting, lastVaultRotation: last_vault_rotation };
  if (keep === undefined) return answer;
  const { fingerprintKey, generation } = keep;
  return {
    ...answer,
    fingerprints: fingerprinted(fingerprintKey, [{ generation, part: "password", username, value: password }]),
  };
});
