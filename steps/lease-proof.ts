import * as z from "zod";
import { runStep } from "../clients/run-step";
import { leaseRole, proveRole } from "../kinds/vault-dynamic/lease";
import { vaultOf } from "../stores";
import { storeReference } from "../stores/schemas";

const input = z.object({ store: storeReference, ...leaseRole.shape });

/** Has Vault make one login of a role, logs in with it, and ends it: before any service is restarted to use such a one. */
await runStep(input, async ({ store, ...role }) => ({ ...(await proveRole(vaultOf(store), role)) }));
