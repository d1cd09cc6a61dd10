import { z } from "zod";
import { runStep, StepError } from "./run-step";
import { storeReference } from "./store";
import { VaultClient } from "./vault";

const input = z.object({ store: storeReference, mount: z.string(), connection: z.string() });

/** Has Vault change the password of its own login on a database. Doing it twice does no harm: Vault knows the last one. */
await runStep(input, async ({ store, mount, connection }) => {
  if (store.kind !== "vault") throw new StepError(`expected a store of the kind vault, found ${store.kind}`);
  await new VaultClient(store).post(`${mount}/rotate-root/${connection}`, {});
  return { rotated: connection };
});
