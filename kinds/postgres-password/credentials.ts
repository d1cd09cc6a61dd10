import type { CredentialInUse } from "../../components/preflight-input";
import type { PostgresPasswordConfig } from "../../config";
import type { Decision } from "../../core/decide";
import type { SecretState } from "../../core/state";
import type { Known, KnownStack } from "../kind-operations";
import { type Logins, loginInUseOf, loginsIn, loginsOfAll } from "../own-password/credentials";
import type { OwnKind } from "../own-password/own-kind";
import type { SlotsOf } from "../own-password/slot-value";
import { activeUsername } from "./roles";
import { passwordDocument, usernamePathOf } from "./schema";

/** A role's password as one that this stack makes. */
export const postgresLogin: OwnKind<PostgresPasswordConfig> = {
  document: passwordDocument,
  firstUser: ({ role }) => role,
  userOf: ({ strategy, role }, state, slot) => activeUsername(strategy, role, { ...state, active: slot }),
  usernamePath: (secret) => (secret.strategy === "alternating-users" ? usernamePathOf(secret) : undefined),
};

/** Reads a secret's logins from the stack's decrypted state. */
export const loginsOf = (stack: SlotsOf, secret: PostgresPasswordConfig, state: SecretState): Logins =>
  loginsIn(postgresLogin, stack, secret, state);

/** The logins of these states, each to be tried. */
export const knownLogins = (
  stack: KnownStack,
  secret: PostgresPasswordConfig,
  states: readonly SecretState[],
): Known[] =>
  loginsOfAll(postgresLogin, stack, secret, states).map((login) => {
    const { generation, username, entries } = login;
    const tried = async () => (await import("./see-login")).seeLogin(secret, login);
    return { generation, username, entries, tried };
  });

/** The login that the store must hold before the update acts. */
export const loginInUse = (
  stack: KnownStack,
  secret: PostgresPasswordConfig,
  decision: Decision,
): CredentialInUse<string> | undefined => loginInUseOf(postgresLogin, stack, secret, decision);
