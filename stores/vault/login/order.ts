import * as z from "zod";
import { secret } from "../../../core/secret-fields";
import { auth } from "./schema";

/** What a session's process is told. */
export const sessionOrder = z.object({
  place: z.object({
    address: z.string().optional(),
    namespace: z.string().optional(),
    caCert: z.string().optional(),
  }),
  auth,
  /** For AppRole. */
  secretId: secret(z.string()).optional(),
  /** The run's name, under which its steps find the session; undefined if it has none. */
  session: z.string().optional(),
});

export type SessionOrder = z.output<typeof sessionOrder>;
