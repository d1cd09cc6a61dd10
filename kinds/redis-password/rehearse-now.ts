import { sameAsStored } from "../../components/stored-values";
import { messageOf } from "../../core/errors";
import type { RehearsalRow } from "../../core/rehearsal";
import { sshKeyOf } from "../../core/ssh-key";
import type { SecretState } from "../../core/state";
import type { StackView } from "../kind-operations";
import { readersOf } from "../own-password/readers";
import { passwordsOf } from "./credentials";
import { redisOf } from "./reference";
import { redisRehearsal } from "./rehearsal-input";
import { rehearse } from "./rehearse";
import type { RedisPasswordConfig } from "./schema";

/** The password in use, from where its readers are and in the store. Changes nothing that is in use. */
export async function rehearseNow(
  stack: StackView,
  secret: RedisPasswordConfig,
  state: SecretState,
): Promise<RehearsalRow[]> {
  const { config } = stack;
  const { active } = passwordsOf(stack, secret, state);
  const row = (more: Partial<RehearsalRow>): RehearsalRow => ({
    ...{ reader: "this run", path: "store", verdict: "differs", login: "", rights: "", store: "" },
    ...more,
  });
  if (active === undefined) return [row({ login: "the stack's state does not hold the value in use" })];
  const stored = await sameAsStored(config, active.entries).then(
    (versions) => row({ verdict: "ok", login: `${secret.user} has the password in use`, store: versions }),
    (error: unknown) => row({ store: messageOf(error) }),
  );
  const given = { places: readersOf(secret.restart, config), privateKey: sshKeyOf(config), strict: true };
  // As a step reads it.
  const read = redisRehearsal.parse(JSON.parse(JSON.stringify(given)));
  return [stored, ...(await rehearse(redisOf(secret), read, { next: active.password, inUse: undefined }))];
}
