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
  /** Every value that this stack knows of the path, one entry for each. */
  known: z.array(storeEntry),
  whenForeign: z.string(),
  /** Whether a request says to overwrite an external write. */
  force: z.boolean(),
});

/** Writes one value at the version that was read, keeps all that is not ours, and reads it back. Prints the version. */
await runStep(input, async ({ store, known, ...wish }) => {
  const values = known.map(({ value }) => value);
  const { path, version, wrote, warnings } = await writeEntry(storeClient(store), { ...wish, known: values });
  return { entries: [{ path, version }], wrote, warnings };
});
