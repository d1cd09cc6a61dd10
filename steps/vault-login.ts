import * as z from "zod";
import { databaseReference, withDatabase } from "../clients/postgres";
import { readLogin, vaultRole } from "../kinds/vault-engine/role";
import { vaultOf } from "../stores";
import { storeReference } from "../stores/schemas";
import { runStep } from "./run-step";

const input = z.object({ store: storeReference, role: vaultRole, database: databaseReference });

/** Logs in with what Vault hands out to the services, and queries the session's user. The password goes nowhere else. */
await runStep(input, async ({ store, role, database }) => {
  const { username, password, last_vault_rotation } = await readLogin(vaultOf(store), role);
  const [row] = await withDatabase(
    { ...database, user: username },
    async (client) => (await client.query("SELECT session_user AS session, current_user AS acting")).rows,
    password,
  );
  return { loggedInAs: row.session, actingAs: row.acting, lastVaultRotation: last_vault_rotation };
});
