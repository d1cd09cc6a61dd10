import * as z from "zod";
import { secret } from "../core/secret-fields";
import { passwordHash } from "../kinds/redis-password/acl";
import { changePasswords } from "../kinds/redis-password/change";
import { redisReference } from "../kinds/redis-password/reference";
import { lastAnswer, runStep } from "./run-step";

const input = z.object({
  redis: redisReference,
  /** The slot's password; undefined if the stack does not know it. It stays here: a server gets its hash alone. */
  password: secret(z.string()).optional(),
  /** Whether it may be used. */
  valid: z.boolean(),
});

/**
 * Puts a slot's password among those of the user, or takes it away. The one that this step put there the last time goes, if
 * it is another: a slot has one. Passwords of others stay, and so does everything else of the user.
 */
await runStep(input, async ({ redis, password, valid }) => {
  const { hash } = lastAnswer();
  const before = typeof hash === "string" ? hash : undefined;
  const own = password === undefined ? before : passwordHash(password);
  const over = valid ? [before].filter((one) => one !== own) : [before, own];
  const remove = over.filter((one) => one !== undefined);
  const done = await changePasswords(redis, { add: valid && own !== undefined ? [own] : [], remove });
  return { ...done, ...(own === undefined ? {} : { hash: own }) };
});
