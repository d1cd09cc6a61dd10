import * as z from "zod";
import { endOlder } from "../kinds/vault-dynamic/lease";
import { vaultOf } from "../stores";
import { storeReference } from "../stores/schemas";
import { runStep } from "./run-step";

const input = z.object({
  store: storeReference,
  mount: z.string(),
  /** For each role the time of its proof: older logins end. */
  proofs: z.array(z.object({ role: z.string(), issuedAt: z.string() })),
});

/** After the restarts: ends every login that was made before this generation. Safe to repeat. */
await runStep(input, async ({ store, mount, proofs }) => {
  const client = vaultOf(store);
  const ended: Record<string, number> = {};
  for (const { role, issuedAt } of proofs) ended[role] = await endOlder(client, mount, role, issuedAt);
  return { ended };
});
