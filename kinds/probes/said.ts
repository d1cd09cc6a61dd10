import * as z from "zod";

/** What the process of the probes says by itself: a line of JSON. */
export const probeSaid = z.object({ secret: z.string(), stop: z.string() });
