import * as z from "zod";
import { secret } from "../core/secret-fields";
import { passwordHash, slotChange } from "../kinds/redis-password/acl";
import { changePasswords } from "../kinds/redis-password/change";
import { redisReference } from "../kinds/redis-password/reference";
import { lastAnswer, runStep } from "./run-step";

const input = z.object({
  redis: redisReference,
  /** The slot's password; undefined if the stack does not know it. It stays here: a server gets its hash alone. */
  password: secret(z.string()).optional(),
  /** The other slot's password, which is never removed. */
  keep: z.array(z.object({ password: secret(z.string()) })),
  /** Whether it may be used. */
  valid: z.boolean(),
});

/**
 * Puts a slot's password among those of the user, or takes it away. The one that this step put there the last time goes, if
 * it is another: a slot has one. Passwords of others stay, and so does everything else of the user.
 */
await runStep(input, async ({ redis, password, keep, valid }) => {
  const { hash } = lastAnswer();
  const before = typeof hash === "string" ? hash : undefined;
  const own = password === undefined ? undefined : passwordHash(password);
  const kept = keep.map((one) => passwordHash(one.password));
  const done = await changePasswords(redis, slotChange({ own, before, valid, keep: kept }));
  const now = own ?? before;
  return { ...done, ...(now === undefined ? {} : { hash: now }) };
});
