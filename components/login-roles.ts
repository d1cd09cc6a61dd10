import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import { ownerMayLogin, slotMayLogin, slotRole } from "../rotation/roles";
import { scramVerifier } from "../rotation/scram";
import { activeGeneration, other, type SecretState, type SlotIndex } from "../rotation/state";
import type { PasswordSlot } from "./password-slot";

/** What the platform's own role has and keeps: only its password and its login are ours. */
const OTHERS = [
  "assumeRole",
  "bypassRowLevelSecurity",
  "connectionLimit",
  "createDatabase",
  "createRole",
  "encryptedPassword",
  "idleInTransactionSessionTimeout",
  "inherit",
  "replication",
  "roles",
  "searchPaths",
  "statementTimeout",
  "superuser",
  "validUntil",
];

export interface LoginRolesArgs {
  /** The role that exists and owns the objects. */
  readonly role: string;
  readonly state: SecretState;
  readonly slots: readonly [PasswordSlot, PasswordSlot];
  /** The value of generation 0, where it is known. */
  readonly adopted: pulumi.Output<string> | undefined;
  /** Login roles of ours that are there although the stack does not know them. */
  readonly left: readonly string[];
}

/** The roles of one strategy, in the two moments at which a rotation changes them. */
export interface LoginRoles {
  /** Before the store is written: the active credential can log in. */
  ready(dependsOn: pulumi.Resource): pulumi.Resource;
  /** After the restarts: whoever may not log in any more cannot. */
  settle(dependsOn: pulumi.Resource): pulumi.Resource;
}

/** One role whose password changes: the old password ends with the `ALTER ROLE`. */
export function singleUser(name: string, args: LoginRolesArgs, opts: pulumi.CustomResourceOptions): LoginRoles {
  const { role, state, slots, adopted } = args;
  const { password, salt } = slots[state.active];
  const value = activeGeneration(state) === 0 && adopted !== undefined ? adopted : password;
  return {
    ready: (dependsOn) =>
      adoptedRole(`${name}-role`, { role, login: true, password: verifier(value, salt) }, { ...opts, dependsOn }),
    settle: (dependsOn) => dependsOn,
  };
}

/** Two login roles, both members of the platform's own, which is generation 0 and ends as an owner without login. */
export function alternatingUsers(name: string, args: LoginRolesArgs, opts: pulumi.CustomResourceOptions): LoginRoles {
  const { role, state, slots, left } = args;
  // PostgreSQL refuses two role changes at once (`tuple concurrently updated`): each waits for the one before.
  const owner = (dependsOn: pulumi.Resource) =>
    adoptedRole(`${name}-role`, { role, login: ownerMayLogin(state) }, { ...opts, dependsOn });
  const member = (slot: SlotIndex) => (dependsOn: pulumi.Resource) =>
    memberRole(
      `${name}-role-${slot === 0 ? "a" : "b"}`,
      {
        role: slotRole(role, slot),
        owner: role,
        login: slotMayLogin(state, slot),
        password: verifier(slots[slot].password, slots[slot].salt),
      },
      { ...opts, dependsOn, ...(left.includes(slotRole(role, slot)) ? { import: slotRole(role, slot) } : {}) },
    );
  const active = member(state.active);
  const inactive = member(other(state.active));
  const [first, rest] = activeGeneration(state) === 0 ? [owner, [inactive, active]] : [active, [owner, inactive]];
  return { ready: first, settle: (dependsOn) => rest.reduce((before, change) => change(before), dependsOn) };
}

/** The platform's own role, taken over as it is: only what `args` names is ever changed. Never created, never dropped. */
function adoptedRole(
  name: string,
  args: { readonly role: string; readonly login: boolean; readonly password?: pulumi.Input<string> },
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const { role, login, password } = args;
  return new postgresql.Role(
    name,
    { name: role, login, ...(password === undefined ? {} : { password }), skipDropRole: true, skipReassignOwned: true },
    { ...opts, import: role, ignoreChanges: OTHERS, retainOnDelete: true },
  );
}

/** A login role of our own, a member of the owner role, acting as it from login on: objects keep one owner. */
function memberRole(
  name: string,
  args: {
    readonly role: string;
    readonly owner: string;
    readonly login: boolean;
    readonly password: pulumi.Input<string>;
  },
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const { role, owner, login, password } = args;
  return new postgresql.Role(
    name,
    {
      name: role,
      login,
      password,
      roles: [owner],
      assumeRole: owner,
      inherit: true,
      skipDropRole: true,
      skipReassignOwned: true,
    },
    { ...opts, retainOnDelete: true },
  );
}

function verifier(password: pulumi.Output<string>, salt: pulumi.Output<string>): pulumi.Output<string> {
  return pulumi.secret(pulumi.all([password, salt]).apply(([plain, bytes]) => scramVerifier(plain, bytes)));
}
