import * as z from "zod";
import { policyOverride, restart, secretName, settings } from "../../../core/schema-parts";

/** A token that only the store and its readers know. */
export const toySchema = settings({
  kind: z.literal("toy"),
  /** Its name, and its path in the store. */
  name: secretName,
  /** How long a token is, in characters. */
  length: z.number().int().min(16),
  restart,
  policy: policyOverride,
});

export type ToyConfig = z.output<typeof toySchema>;
