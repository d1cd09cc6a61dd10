import type pg from "pg";
import * as z from "zod";
import type { RoleNow } from "../login-view";

/** The roles of a rotation, in the preflight's input. */
export const loginsInput = z.object({
  /** The platform's own role. */
  owner: z.string(),
  /** The login in use. */
  from: z.string(),
  /** The login that replaces it; the same one for a single user. */
  to: z.string(),
  /** The login roles of ours; none for a single user. */
  ours: z.array(z.string()).readonly(),
  /** Whether the secret is new to the stack: then a role of our names is ours only if it looks like it. */
  adopting: z.boolean(),
  /** Set if the server gets the password as plain text. */
  passwordAs: z.literal("plain").optional(),
  /** How long until the next rotation is due, in milliseconds. */
  maxAge: z.number(),
});

export type Logins = z.output<typeof loginsInput>;

/** A finding: `refuse` if a service would break. */
export interface Found {
  readonly refuse: boolean;
  /** The fact, what would break, and the SQL that fixes it. */
  readonly text: string;
}

/** What all parts of the check share. */
export interface Asked {
  readonly client: pg.ClientBase;
  readonly logins: Logins;
  readonly admin: Admin;
  readonly owner: RoleNow;
  readonly from: RoleNow;
  /** Undefined if the update makes it. */
  readonly to: RoleNow | undefined;
  readonly database: string;
}

interface Admin {
  readonly name: string;
  readonly superuser: boolean;
  readonly replication: boolean;
  /** Such as 160004. */
  readonly version: number;
}
