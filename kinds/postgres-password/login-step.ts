import type { local } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import type { After } from "../../components/after";
import type { Platform } from "../../components/platform";
import { stepCommand } from "../../components/step-command";
import { type PostgresPasswordConfig, referenceOf } from "../../config";
import type { PreflightMode } from "../../core/decide";
import { AGAIN } from "../../core/phases";
import { activeGeneration, adoptedGeneration, copiesInProof, type SecretState } from "../../core/state";
import { databasePathsOf } from "./paths/schema";
import { rehearsalOf } from "./rehearsal/rehearsal-of";
import { rotatedLogins } from "./roles";
import type { PasswordSlot } from "./slot-salt";

/** What a password's component says of itself to its logins' steps. */
export interface LoginOwner {
  readonly name: string;
  readonly parent: pulumi.Resource;
  readonly config: PostgresPasswordConfig;
  readonly state: SecretState;
  readonly platform: Platform;
  readonly mode: PreflightMode;
  readonly trigger: string;
}

/** A service's login. */
interface Login {
  readonly username: string;
  readonly password: pulumi.Output<string>;
}

export interface LoginStepArgs extends Login {
  /** The services' previous login, if it is another one that stays valid for now. */
  readonly oldLogin: string | undefined;
  /** The sessions that the previous login had before the restarts. */
  readonly oldSessions?: pulumi.Output<number[]>;
  readonly slot: PasswordSlot;
  /** The login in use before; only for the proof before the store is written. */
  readonly previous?: Login | undefined;
}

/** A real login with the active credential, before the store is written and after the restarts. */
export function loginStep(
  owner: LoginOwner,
  step: "verify-login" | "confirm-login",
  { username, password, oldLogin, oldSessions, slot, previous }: LoginStepArgs,
  dependsOn: After,
): local.Command {
  const { name, parent, config, trigger } = owner;
  const isFirst = step === "verify-login";
  const alternating = config.strategy === "alternating-users";
  const { admin: _, ...database } = config.database;
  const paths = databasePathsOf(config);
  const over = paths.length === 0 ? {} : { paths, ...restored(owner, slot) };
  const role = alternating && isFirst ? { owner: config.role } : {};
  const copy = alternating && isFirst ? copied(owner, username) : {};
  const old = oldLogin === undefined ? {} : { oldLogin, ...(oldSessions === undefined ? {} : { oldSessions }) };
  const rehearsal = alternating && isFirst ? rehearsed(owner, username, previous) : {};
  return stepCommand(
    `${name}-${step}`,
    {
      step: "verify-login",
      input: { database: referenceOf(database), username, password, ...role, ...copy, ...old, ...over, ...rehearsal },
      trigger,
      inPlace: owner.state.inPlace,
      ...("rehearsal" in rehearsal ? { runOnInputChange: AGAIN } : {}),
      // The users of the old login are shown at once, and that a login had to be set again.
      progress: (alternating && !isFirst) || "restore" in over,
    },
    { parent, dependsOn },
  );
}

/** How a standby that took over gets a login that it had not replayed; not one that this stack did not set. */
function restored({ config, state }: LoginOwner, { salt }: PasswordSlot) {
  const generation = activeGeneration(state);
  if (generation === 0 || generation === adoptedGeneration(state)) return {};
  const { role: owner, passwordAs: as = "scram" } = config;
  return { restore: { database: referenceOf(config.database), owner, salt, as } };
}

/** A login of ours gets the settings of the login that it replaces. Not if a step of its own does that. */
function copied({ config, state }: LoginOwner, username: string) {
  if (username === config.role || !copiesInProof(state)) return {};
  const { from } = rotatedLogins("alternating-users", config.role, state);
  return { copy: { database: referenceOf(config.database), from } };
}

/** From where services will log in. Not for a single user: its new password is in use as soon as it is set. */
function rehearsed({ config, state, platform, mode }: LoginOwner, username: string, previous: Login | undefined) {
  if (state.rehearses !== true || !platform.rehearse || mode === "adoption") return {};
  const old = previous === undefined || previous.username === username ? undefined : previous;
  return { rehearsal: rehearsalOf(config, platform, mode, old) };
}
