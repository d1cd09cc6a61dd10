import { sameAsStored, storeOf } from "../../../components/stored-values";
import { type PostgresPasswordConfig, policyOf, referenceOf } from "../../../config";
import { messageOf } from "../../../core/errors";
import type { RehearsalRow } from "../../../core/rehearsal";
import { sshKeyOf } from "../../../core/ssh-key";
import { other, type SecretState } from "../../../core/state";
import type { StackView } from "../../kind-operations";
import type { Login } from "../../own-password/credentials";
import { loginsOf } from "../credentials";
import { databasePathsOf } from "../paths/schema";
import { checkLoginRole } from "../preflight/login-role";
import { activeUsername, rotatedLogins } from "../roles";
import { rehearsal } from "./input";
import { rehearsalOf } from "./rehearsal-of";
import { rehearse } from "./rehearse";

/** The ways of the login in use, and whether the next login would see the same. Changes nothing that is in use. */
export async function rehearseNow(
  stack: StackView,
  secret: PostgresPasswordConfig,
  state: SecretState,
): Promise<RehearsalRow[]> {
  const { active } = loginsOf(stack, secret, state);
  if (active === undefined)
    return [row("every reader", "primary", { login: "the stack's state does not hold the value in use" })];
  const [stored, ways, next] = await Promise.all([
    inStore(stack, active),
    overWays(stack, secret, active),
    nextLogin(stack, secret, state),
  ]);
  return [...stored, ...ways, ...next];
}

function overWays({ config }: StackView, secret: PostgresPasswordConfig, { username, password }: Login) {
  const { services, hosts } = config;
  const platform = { services, hosts, privateKey: sshKeyOf(config), store: { reference: storeOf(config) } };
  const given = {
    ...rehearsalOf(secret, platform, "rotation", undefined),
    ...{ database: referenceOf(secret.database), paths: databasePathsOf(secret), login: { username, password } },
    isInUse: true,
  };
  // As a step reads it.
  return rehearse(rehearsal.parse(JSON.parse(JSON.stringify(given))));
}

/** What services will read. */
async function inStore({ config }: StackView, { entries, username }: Login): Promise<RehearsalRow[]> {
  try {
    return [
      row("this run", "store", {
        verdict: "ok",
        login: `${username} is the login in use`,
        store: await sameAsStored(config, entries),
      }),
    ];
  } catch (error) {
    return [row("this run", "store", { store: messageOf(error) })];
  }
}

/** The role of the next rotation, which has no password yet: what the server keeps of it. */
async function nextLogin({ config }: StackView, secret: PostgresPasswordConfig, state: SecretState) {
  const { strategy, role, database } = secret;
  if (strategy === "single-user") return [];
  const from = activeUsername(strategy, role, state);
  const filled = { slots: state.slots, active: other(state.active) };
  const to = activeUsername(strategy, role, { ...filled, slots: [1, 1] });
  const logins = { ...rotatedLogins(strategy, role, filled), from, to, adopting: from === role };
  try {
    const asked = { ...logins, maxAge: policyOf(config, secret).maxAge };
    const { evidence } = await checkLoginRole(referenceOf(database), asked, "rotation");
    return [row(`the next login, ${to}`, "primary", { verdict: "ok", rights: evidence })];
  } catch (error) {
    return [row(`the next login, ${to}`, "primary", { rights: messageOf(error) })];
  }
}

const row = (reader: string, path: string, more: Partial<RehearsalRow>): RehearsalRow => ({
  ...{ reader, path, verdict: "differs", login: "", rights: "", store: "" },
  ...more,
});
