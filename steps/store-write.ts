import * as z from "zod";
import { runStep } from "./run-step";
import { storeClient, storeEntry, storeReference } from "./store";
import { writeEntry } from "./write-entry";

const input = z.object({
  store: storeReference,
  entry: storeEntry,
  /** Set where the value belongs to a pair. */
  pair: z.object({ generation: z.number(), slot: z.union([z.literal(0), z.literal(1)]) }).optional(),
  /** Every value that this stack knows of the path. */
  known: z.array(z.string()),
  whenForeign: z.string(),
  /** Whether a request says to overwrite what somebody else wrote. */
  force: z.boolean(),
  /** Whether this update does a step of the secret. Where it does not, what others did to the store stays as it is. */
  acts: z.boolean(),
});

/** Writes one value beside all that is not ours, at the version that was read, and reads it back. Prints the version. */
await runStep(input, async ({ store, acts, ...wish }) => {
  const client = storeClient(store);
  const { path } = wish.entry;
  if (!acts) {
    const found = await client.read(path);
    return { entries: found === undefined ? [] : [{ path, version: found.version }], wrote: false, warnings: [] };
  }
  const { version, wrote, warnings } = await writeEntry(client, wish);
  return { entries: [{ path, version }], wrote, warnings };
});
