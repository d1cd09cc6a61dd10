import * as pulumi from "@pulumi/pulumi";
import { stepCommand } from "../../components/step-command";
import type { SecretState } from "../../core/state";
import type { PasswordAs } from "./set-password";
import type { PasswordSlot } from "./slot-salt";

export interface LoginRoleArgs {
  /** How a step reaches the database as the administrator. */
  readonly database: Record<string, unknown>;
  readonly role: string;
  /** Whether it may log in. A change runs the step again. */
  readonly login: boolean;
  /** What it logs in with; undefined if its password is not this stack's. A change gives it the new one. */
  readonly slot: PasswordSlot | undefined;
  /** In which form the server gets the password. */
  readonly passwordAs: PasswordAs;
  /** The activation that makes it the login in use; undefined for one that is not. */
  readonly activation: string | undefined;
  /** The login whose settings and limits it gets where it is proven, as a reviewer sees it. */
  readonly copies?: string;
  /** Whether a new activation runs the step in place. */
  readonly inPlace?: SecretState["inPlace"];
}

/**
 * Whether a role may log in, and with which password: all that a rotation changes of a role. By a step of ours, since the
 * postgresql plugin's update of a role revokes and grants each membership anew, sets `search_path` back and cannot read
 * every `statement_timeout`. The inputs are what a reviewer sees.
 */
export class LoginRole extends pulumi.ComponentResource {
  constructor(name: string, args: LoginRoleArgs, opts: pulumi.ComponentResourceOptions) {
    const { database, role, login, slot, passwordAs, activation, copies, inPlace } = args;
    const isPlain = passwordAs === "plain";
    const verifier = slot === undefined ? {} : { verifier: isPlain ? "plain text" : "SCRAM-SHA-256" };
    const says = { role, login, ...verifier, ...(copies === undefined ? {} : { copies }) };
    // A login that is no longer in use keeps its activation, so that the step is not run again.
    const ignoreChanges = (...keys: string[]) => (activation === undefined ? { ignoreChanges: keys } : {});
    super(
      "secret-rotation:index:LoginRole",
      name,
      { ...says, activation: activation ?? "" },
      { ...opts, ...ignoreChanges("activation", "copies") },
    );
    const { dependsOn } = opts;
    stepCommand(
      `${name}-set`,
      {
        step: "set-role",
        input: { database, role, login, ...(slot === undefined ? {} : slot), ...(isPlain ? { as: passwordAs } : {}) },
        trigger: activation ?? "",
        inPlace,
      },
      {
        parent: this,
        ...(dependsOn === undefined ? {} : { dependsOn }),
        ...ignoreChanges(inPlace ? "environment" : "triggers"),
      },
    );
    this.registerOutputs({ role });
  }
}
