import type { CredentialInUse } from "../../components/preflight-input";
import { seen } from "../../components/seen";
import type { Decision } from "../../core/decide";
import type { SecretState } from "../../core/state";
import type { Known, KnownStack } from "../kind-operations";
import { type Logins, loginInUseOf, loginsIn, loginsOfAll } from "../own-password/credentials";
import type { OwnKind } from "../own-password/own-kind";
import type { SlotsOf } from "../own-password/slot-value";
import { redisOf } from "./reference";
import { type RedisPasswordConfig, redisDocument } from "./schema";

/** An ACL user's password as one that this stack makes. */
export const redisLogin: OwnKind<RedisPasswordConfig> = {
  document: redisDocument,
  firstUser: ({ user }) => user,
  userOf: ({ user }) => user,
  usernamePath: () => undefined,
};

/** Reads a secret's passwords from the stack's decrypted state. */
export const passwordsOf = (stack: SlotsOf, secret: RedisPasswordConfig, state: SecretState): Logins =>
  loginsIn(redisLogin, stack, secret, state);

/** The passwords of these states, each to be tried. */
export const knownPasswords = (
  stack: KnownStack,
  secret: RedisPasswordConfig,
  states: readonly SecretState[],
): Known[] =>
  loginsOfAll(redisLogin, stack, secret, states).map(({ generation, username, password, entries }) => {
    const tried = async () => ({ generation, name: username, of: "Redis", answer: await answerTo(secret, password) });
    return { generation, username, entries, tried };
  });

/** Whether every server takes a password. Never throws. */
const answerTo = (secret: RedisPasswordConfig, password: string) =>
  seen(async () => {
    const { tryEverywhere } = await import("./connection");
    const { outcome, evidence } = await tryEverywhere(redisOf(secret), password);
    if (outcome === "unknown") throw new Error(evidence);
    return outcome;
  });

/** The password that the store must hold before the update acts. */
export const passwordInUse = (
  stack: KnownStack,
  secret: RedisPasswordConfig,
  decision: Decision,
): CredentialInUse<string> | undefined => loginInUseOf(redisLogin, stack, secret, decision);
