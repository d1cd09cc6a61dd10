import * as z from "zod";
import { leaseRole, proveRole } from "../kinds/vault-dynamic/lease";
import { vaultOf } from "../stores";
import { storeReference } from "../stores/schemas";
import { runStep } from "./run-step";

const input = z.object({ store: storeReference, ...leaseRole.shape });

/** Has Vault make one login of a role, logs in with it, and ends it, before any service is restarted to use such logins. */
await runStep(input, async ({ store, ...role }) => ({ ...(await proveRole(vaultOf(store), role)) }));
