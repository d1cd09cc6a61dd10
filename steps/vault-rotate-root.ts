import * as z from "zod";
import { vaultOf } from "../stores";
import { storeReference } from "../stores/schemas";
import { runStep } from "./run-step";

const input = z.object({ store: storeReference, mount: z.string(), connection: z.string() });

/** Has Vault change the password of its own login on a database. Safe to repeat: Vault knows the last one. */
await runStep(input, async ({ store, mount, connection }) => {
  await vaultOf(store).post(`${mount}/rotate-root/${connection}`, {});
  return { rotated: connection };
});
