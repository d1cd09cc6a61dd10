import * as z from "zod";
import { storeClient } from "../stores";
import { storeReference } from "../stores/schemas";
import { runStep } from "./run-step";

const input = z.object({ store: storeReference, paths: z.array(z.string()) });

/** The store's version of each path before it is written; an empty path is left out. */
await runStep(input, async ({ store, paths }) => {
  const client = storeClient(store);
  const entries = await Promise.all(paths.map(async (path) => ({ path, version: (await client.read(path))?.version })));
  return { entries: entries.filter(({ version }) => version !== undefined) };
});
