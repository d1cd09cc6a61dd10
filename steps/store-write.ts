import * as z from "zod";
import { storeClient } from "../stores";
import { storeReference } from "../stores/schemas";
import { storeEntry } from "../stores/store";
import { writeEntry } from "../stores/write-entry";
import { runStep } from "./run-step";

const input = z.object({
  store: storeReference,
  entry: storeEntry,
  /** Set if the value belongs to a pair. */
  pair: z.object({ generation: z.number(), slot: z.union([z.literal(0), z.literal(1)]) }).optional(),
  /** Every entry that this stack knows of the path. */
  known: z.array(storeEntry),
  whenForeign: z.string(),
  /** Whether a request says to overwrite an external write. */
  force: z.boolean(),
});

/** Writes one entry at the version that was read, keeps all that is not ours, and reads it back. Prints the version. */
await runStep(input, async ({ store, ...wish }) => {
  const { path, version, wrote, warnings } = await writeEntry(storeClient(store), wish);
  return { entries: [{ path, version }], wrote, warnings };
});
