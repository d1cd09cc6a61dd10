import * as z from "zod";
import { runStep, StepError } from "./run-step";
import { storeClient, storeEntry, storeReference } from "./store";

const input = z.object({ store: storeReference, entries: z.array(storeEntry) });

/** Reads what was written and compares. The provider never notices when somebody else wrote in between. */
await runStep(input, async ({ store, entries }) => {
  const client = storeClient(store);
  const read = await Promise.all(entries.map(async (entry) => ({ ...entry, stored: await client.read(entry.path) })));
  const wrong = read.filter(({ value, stored }) => stored?.value !== value);
  if (wrong.length > 0) {
    const found = wrong.map(
      ({ path, stored }) =>
        `${path} ${stored === undefined ? "is missing" : `holds another value in version ${stored.version}`}`,
    );
    throw new StepError(
      `the store does not hold what was just written: ${found.join("; ")}. Somebody else writes there; no service was ` +
        "restarted. Find out who, then run `pulumi up --refresh` to write it again.",
    );
  }
  return { entries: read.map(({ path, stored }) => ({ path, version: stored?.version })) };
});
