import * as postgresql from "@pulumi/postgresql";
import type * as pulumi from "@pulumi/pulumi";
import type { After } from "../../components/after";
import { stepCommand } from "../../components/step-command";
import { activation, activeGeneration, copiesInProof, other, type SecretState, type SlotIndex } from "../../core/state";
import { LoginRole } from "./login-role";
import { ownerMayLogin, rotatedLogins, slotMayLogin, slotRole } from "./roles";
import type { PasswordAs } from "./set-password";
import type { PasswordSlot } from "./slot-salt";

/**
 * All that a login role has besides its name. The plugin makes the role and never changes it: each of its updates would
 * revoke and grant every membership anew and set `search_path` back.
 */
const MADE_ONCE = [
  "assumeRole",
  "bypassRowLevelSecurity",
  "connectionLimit",
  "createDatabase",
  "createRole",
  "encrypted",
  "encryptedPassword",
  "idleInTransactionSessionTimeout",
  "inherit",
  "login",
  "password",
  "passwordWo",
  "passwordWoVersion",
  "replication",
  "roles",
  "searchPaths",
  "skipDropRole",
  "skipReassignOwned",
  "statementTimeout",
  "superuser",
  "validUntil",
];

export interface LoginRolesArgs {
  /** How a step reaches the database as the administrator. */
  readonly database: Record<string, unknown>;
  /** The role that exists and owns the objects. */
  readonly role: string;
  readonly passwordAs: PasswordAs;
  readonly state: SecretState;
  /** Whether this update does a step of the secret. */
  readonly acts: boolean;
  readonly slots: readonly [PasswordSlot, PasswordSlot];
}

export interface SingleUserArgs extends LoginRolesArgs {
  /** The value of generation 0, if it is known. */
  readonly adopted: pulumi.Output<string> | undefined;
}

export interface AlternatingUsersArgs extends LoginRolesArgs {
  /** Login roles of ours that exist although the stack does not know them. */
  readonly left: readonly string[];
  /** The plugin's provider, with the login that makes roles. */
  readonly provider: postgresql.Provider;
}

/** The roles of one strategy, at the two moments at which a rotation changes them. */
export interface LoginRoles {
  /** Before the store is written: the active credential can log in. */
  ready(dependsOn: After): pulumi.Resource;
  /** After the restarts: revokes the logins that are no longer valid. */
  settle(dependsOn: pulumi.Resource): pulumi.Resource;
}

type Change = (dependsOn: After) => pulumi.Resource;

/** One role whose password changes: the old password ends with the `ALTER ROLE`. */
export function singleUser(name: string, args: SingleUserArgs, opts: { readonly parent: pulumi.Resource }): LoginRoles {
  const { database, role, passwordAs, state, slots, adopted } = args;
  const made = slots[state.active];
  const slot = activeGeneration(state) === 0 && adopted !== undefined ? { ...made, password: adopted } : made;
  return {
    ready: (dependsOn) =>
      new LoginRole(
        `${name}-login`,
        { database, role, login: true, slot, passwordAs, activation: activation(state), inPlace: state.inPlace },
        { ...opts, dependsOn },
      ),
    settle: (dependsOn) => dependsOn,
  };
}

/** Two login roles, both members of the platform's own, which is generation 0 and ends as an owner without login. */
export function alternatingUsers(
  name: string,
  args: AlternatingUsersArgs,
  opts: { readonly parent: pulumi.Resource },
): LoginRoles {
  const { database, role, passwordAs, state, slots } = args;
  const { inPlace } = state;
  const adopted = activeGeneration(state) === 0;
  const activationOf = (active: boolean) => (active ? activation(state) : undefined);
  // PostgreSQL refuses two role changes at once (`tuple concurrently updated`): each waits for the previous one.
  const owner: Change = (dependsOn) =>
    new LoginRole(
      `${name}-login`,
      {
        database,
        role,
        login: ownerMayLogin(state),
        slot: undefined,
        passwordAs,
        activation: activationOf(adopted),
        inPlace,
      },
      { ...opts, dependsOn },
    );
  const login =
    (slot: SlotIndex): Change =>
    (dependsOn) => {
      const inUse = slot === state.active && !adopted;
      const made = memberRole(name, slot, args, { ...opts, dependsOn });
      return new LoginRole(
        `${name}-login-${letter(slot)}`,
        {
          database,
          role: slotRole(role, slot),
          login: slotMayLogin(state, slot),
          slot: state.slots[slot] > 0 ? slots[slot] : undefined,
          passwordAs,
          activation: activationOf(inUse),
          ...(inUse && copiesInProof(state) ? { copies: rotatedLogins("alternating-users", role, state).from } : {}),
          inPlace,
        },
        {
          ...opts,
          dependsOn: inUse && !copiesInProof(state) ? copyRole(name, args, { ...opts, dependsOn: made }) : made,
        },
      );
    };
  const active = login(state.active);
  const inactive = login(other(state.active));
  const [first, rest] = adopted ? [owner, [inactive, active]] : [active, [owner, inactive]];
  return { ready: first, settle: (dependsOn) => rest.reduce((before, change) => change(before), dependsOn) };
}

const letter = (slot: SlotIndex) => (slot === 0 ? "a" : "b");

/** A login role of our own, a member of the owner role, acting as it from login on: objects keep one owner. */
function memberRole(
  name: string,
  slot: SlotIndex,
  { role: owner, left, provider }: AlternatingUsersArgs,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const role = slotRole(owner, slot);
  return new postgresql.Role(
    `${name}-role-${letter(slot)}`,
    {
      name: role,
      login: false,
      roles: [owner],
      assumeRole: owner,
      inherit: true,
      skipDropRole: true,
      skipReassignOwned: true,
    },
    {
      ...opts,
      provider,
      ignoreChanges: MADE_ONCE,
      retainOnDelete: true,
      ...(left.includes(role) ? { import: role } : {}),
    },
  );
}

/** Before a login is used: it gets what the login that it replaces had. By a step of its own, as earlier versions declared it. */
function copyRole(
  name: string,
  { database, role: owner, state, acts }: LoginRolesArgs,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const { from, to } = rotatedLogins("alternating-users", owner, state);
  return stepCommand(
    `${name}-copy-role`,
    {
      step: "copy-role",
      input: { database, owner, from, to, acts },
      trigger: activation(state),
      inPlace: state.inPlace,
    },
    // Between rotations nothing is copied; an older stack gets this step without an effect.
    { ...opts, ...(acts ? {} : { ignoreChanges: ["stdin"] }) },
  );
}
