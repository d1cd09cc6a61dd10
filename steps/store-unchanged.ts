import * as z from "zod";
import { lookAgain } from "../components/preflight/store";
import { storeClient } from "../stores";
import { storeReference } from "../stores/schemas";
import { storeEntry } from "../stores/store";
import { runStep } from "./run-step";

const input = z.object({
  store: storeReference,
  /** Every entry that this stack knows of a path. */
  known: z.array(storeEntry),
  whenForeign: z.string(),
  /** Whether a request says to overwrite an external write. */
  force: z.boolean(),
});

/** Right before the first change: no external write meanwhile. Fails with its version, its time and the options. */
await runStep(input, ({ store, ...guard }) => lookAgain(storeClient(store), guard));
