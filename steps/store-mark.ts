import * as z from "zod";
import { storeClient } from "../stores";
import { storeReference } from "../stores/schemas";
import { runStep } from "./run-step";

const mark = z.object({ path: z.string(), says: z.record(z.string(), z.string()) });

const input = z.union([
  z.object({ store: storeReference, marks: z.array(mark) }),
  /** Of an activation by an earlier version: a step for each path. */
  mark.extend({ store: storeReference }),
]);

/** Marks what is kept at each path (Vault's custom metadata, AWS's tags) beside the marks of others. Writes no version. */
await runStep(input, async ({ store, ...given }) => {
  const client = storeClient(store);
  if ("path" in given) return { marked: await client.mark(given.path, given.says) };
  const marked: Record<string, readonly string[]> = {};
  for (const { path, says } of given.marks) marked[path] = await client.mark(path, says);
  return { marked };
});
