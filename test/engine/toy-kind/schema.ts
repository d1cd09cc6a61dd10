import * as z from "zod";
import { calendarSettings } from "../../../core/calendar-schema";
import { hooks, policyOverride, restart, secretName, settings } from "../../../core/schema-parts";

/** A token that only the store and its readers know. */
export const toySchema = settings({
  kind: z.literal("toy"),
  /** Its name, and its path in the store. */
  name: secretName,
  /** How long a token is, in characters. */
  length: z.number().int().min(16),
  restart,
  ...hooks,
  policy: policyOverride,
  ...calendarSettings,
});

export type ToyConfig = z.output<typeof toySchema>;
