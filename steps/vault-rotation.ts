import * as z from "zod";
import { readRotation, vaultRole } from "../kinds/vault-engine/role";
import { vaultOf } from "../stores";
import { storeReference } from "../stores/schemas";
import { runStep } from "./run-step";

const input = z.object({
  store: storeReference,
  role: vaultRole,
  /** Whether Vault has to rotate now, if it has not done so since `before`. */
  force: z.boolean(),
  /** Vault's last rotation as this rotation's preflight saw it; empty if there was none. */
  before: z.string(),
});

/**
 * Has Vault rotate a role's password, once, and prints when it did last. An update that continues after an interruption
 * finds a newer rotation than its preflight saw, and requests no second one.
 */
await runStep(input, async ({ store, role, force, before }) => {
  const client = vaultOf(store);
  const found = await readRotation(client, role);
  if (!force || Date.parse(found) > (before === "" ? 0 : Date.parse(before))) {
    return { lastVaultRotation: found, rotated: false };
  }
  await client.post(`${role.mount}/rotate-role/${role.name}`, {});
  return { lastVaultRotation: await readRotation(client, role), rotated: true };
});
