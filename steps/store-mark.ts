import * as z from "zod";
import { storeClient } from "../stores";
import { storeReference } from "../stores/schemas";
import { runStep } from "./run-step";

const input = z.object({ store: storeReference, path: z.string(), says: z.record(z.string(), z.string()) });

/** Marks what is kept at a path (Vault's custom metadata, AWS's tags) beside the marks of others. Writes no version. */
await runStep(input, async ({ store, path, says }) => ({ marked: await storeClient(store).mark(path, says) }));
