import * as z from "zod";
import { sshKey } from "../../clients/ssh-connect";
import { place } from "../own-password/place";

/** What a rehearsal needs besides the servers and the passwords. */
export const redisRehearsal = z.object({
  places: z.array(place),
  /** Opens every host. */
  privateKey: sshKey.optional(),
  /** Whether a difference stops the rotation; else it is a warning: waiting would be worse. */
  strict: z.boolean(),
});

export type RedisRehearsal = z.output<typeof redisRehearsal>;
