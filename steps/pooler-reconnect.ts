import * as z from "zod";
import { poolerReference, reconnect } from "../clients/pgbouncer";
import { pathName } from "../kinds/postgres-password/paths/schema";
import { runStep } from "./run-step";

const input = z.object({ poolers: z.array(poolerReference) });

/** After the restarts: the poolers' connections to the server begin anew, so that none of the previous login is left. */
await runStep(input, async ({ poolers }) => {
  for (const pooler of poolers) await reconnect(pooler);
  return { reconnected: poolers.map(pathName) };
});
