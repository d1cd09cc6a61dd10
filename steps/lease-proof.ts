import * as z from "zod";
import { leaseRole, proveRole } from "./lease";
import { runStep } from "./run-step";
import { storeReference } from "./store";
import { vaultClientOf } from "./vault";

const input = z.object({ store: storeReference, ...leaseRole.shape });

/** Has Vault make one login of a role, logs in with it, and ends it: before any service is restarted to use such a one. */
await runStep(input, async ({ store, ...role }) => ({ ...(await proveRole(vaultClientOf(store), role)) }));
