import * as z from "zod";
import { databaseReference, withDatabase } from "../clients/postgres";
import { copyRole } from "../kinds/postgres-password/login-copy";
import { runStep } from "./run-step";

const input = z.object({
  database: databaseReference,
  /** The platform's own role, which both logins act as. */
  owner: z.string(),
  /** The login in use. */
  from: z.string(),
  /** The login that replaces it. */
  to: z.string(),
  /** Whether a rotation or a rollback is under way; otherwise nothing is done. */
  acts: z.boolean(),
});

/** Makes a login role equal to the one that it replaces, before it is used. */
await runStep(input, async ({ database, owner, from, to, acts }) => {
  if (!acts) return {};
  const changed = await withDatabase(database, (client) => copyRole(client, { owner, from, to }));
  return { to, changed };
});
