import * as z from "zod";
import { lookAgain } from "../components/preflight/store";
import { storeClient } from "../stores";
import { storeReference } from "../stores/schemas";
import { storeEntry } from "../stores/store";
import { writeEntries, writeEntry } from "../stores/write-entry";
import { lastAnswer, runStep } from "./run-step";

const common = {
  store: storeReference,
  /** Which values belong together, if there are several. */
  pair: z.object({ generation: z.number(), slot: z.union([z.literal(0), z.literal(1)]) }).optional(),
  /** Every entry that this stack knows of the paths, and of others that it may have written. */
  known: z.array(storeEntry),
  whenForeign: z.string(),
  /** Whether a request says to overwrite an external write. */
  force: z.boolean(),
};

const input = z.union([
  z.object({ ...common, entries: z.array(storeEntry) }),
  /** Of an activation by an earlier version: one path alone, which a step of its own has looked at. */
  z.object({ ...common, entry: storeEntry }),
]);

/**
 * Writes the entries at the versions that were read, keeps all that is not ours, and reads them back. Before the first, all
 * paths must be free of external writes. Prints the versions.
 */
await runStep(input, async ({ store, ...given }, _, again) => {
  const client = storeClient(store);
  if ("entry" in given) {
    const { path, version, wrote, warnings } = await writeEntry(client, given);
    return { entries: [{ path, version }], wrote, warnings };
  }
  // Once for each activation: a path that a new config no longer has may be another's by then.
  const paths = new Set(given.entries.map(({ path }) => path));
  const known = again ? given.known.filter(({ path }) => paths.has(path)) : given.known;
  const { overrides } = await lookAgain(client, { ...given, known });
  const written = await writeEntries(client, given);
  return { ...written, overrides: again ? (lastAnswer().overrides ?? []) : overrides };
});
