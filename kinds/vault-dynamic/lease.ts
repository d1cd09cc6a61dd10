import * as z from "zod";
import { databaseReference, withDatabase } from "../../clients/postgres";
import type { Vault } from "../../clients/vault";
import { messageOf, StepError } from "../../core/errors";
import { redact } from "../../core/redact";

/** A login of Vault's database engine, as the API hands it out. */
interface Issued {
  readonly lease_id: string;
  /** Seconds. */
  readonly lease_duration: number;
  readonly data: { readonly username: string; readonly password: string };
}

interface Looked {
  readonly data: { readonly issue_time: string; readonly expire_time: string | null };
}

/** A lease that Vault holds; its times are Vault's, ISO 8601 to the nanosecond. */
export interface HeldLease {
  readonly id: string;
  readonly issuedAt: string;
  /** When it ends unless it is renewed; null if Vault knows no end. */
  readonly expiresAt: string | null;
}

/** The source of logins, and the role that they act as. */
export const leaseRole = z.object({
  mount: z.string(),
  /** The role's name in Vault. */
  role: z.string(),
  /** The database role that owns the objects. */
  owner: z.string(),
  database: databaseReference,
});

export type LeaseRole = z.output<typeof leaseRole>;

/** The proven facts about a login of a role, without a secret. */
export interface LeaseProof {
  readonly role: string;
  readonly loggedInAs: string;
  readonly actingAs: string;
  /** Seconds. */
  readonly ttl: number;
  /** By Vault's own clock, ISO 8601 to the nanosecond: every login made before it is older than the proof. */
  readonly issuedAt: string;
}

/** Has Vault make a login, really logs in with it, and has it end at once. @throws StepError saying what is wrong */
export async function proveRole(client: Vault, { mount, role, owner, database }: LeaseRole): Promise<LeaseProof> {
  const path = `${mount}/creds/${role}`;
  const issued = await client.get<Issued>(path);
  if (issued === undefined) throw new StepError(`Vault has no role ${role} at ${mount}: it issues no login at ${path}`);
  const { lease_id, lease_duration: ttl, data } = issued;
  const { username: user, password } = data;
  const end = () => client.put("sys/leases/revoke", { lease_id, sync: true });
  try {
    const looked = await client.put<Looked>("sys/leases/lookup", { lease_id });
    const found = await withDatabase({ ...database, user }, whoAmI, password);
    assertOwned(found, owner);
    await end();
    const { loggedInAs, actingAs } = found;
    return { role, loggedInAs, actingAs, ttl, issuedAt: looked?.data.issue_time ?? "" };
  } catch (error) {
    await end().catch(() => undefined);
    throw new StepError(redact(`a login that Vault made at ${path}: ${messageOf(error)}`, [password]));
  }
}

function assertOwned({ actingAs, ends }: Session, owner: string): void {
  if (actingAs !== owner) {
    throw new StepError(
      `it acts as ${actingAs}, expected ${owner}: objects would get another owner; end the creation statements with ` +
        `\`ALTER ROLE "{{name}}" SET role TO ${owner}\``,
    );
  }
  if (!ends) {
    throw new StepError(
      "it has no end in the database, expected one: let the creation statements say VALID UNTIL '{{expiration}}'",
    );
  }
}

interface Session {
  readonly loggedInAs: string;
  readonly actingAs: string;
  readonly ends: boolean;
}

async function whoAmI(client: { query(sql: string): Promise<{ rows: unknown[] }> }): Promise<Session> {
  const { rows } = await client.query(
    `SELECT session_user::text AS "loggedInAs", current_user::text AS "actingAs",
            coalesce(rolvaliduntil < 'infinity', false) AS ends FROM pg_roles WHERE rolname = session_user`,
  );
  return rows[0] as Session;
}

/** The leases that Vault holds for `<mount>/creds/<role>`. @throws StepError */
export async function heldLeases(client: Vault, path: string): Promise<HeldLease[]> {
  const held: HeldLease[] = [];
  for (const name of await client.list(`sys/leases/lookup/${path}`)) {
    const id = `${path}/${name}`;
    // Undefined if it ended by itself meanwhile.
    const looked = await client.put<Looked>("sys/leases/lookup", { lease_id: id }, [400, 404]);
    if (looked !== undefined) held.push({ id, issuedAt: looked.data.issue_time, expiresAt: looked.data.expire_time });
  }
  return held;
}

/** Ends every login of a role that is older than a moment of Vault's clock. Returns how many there were. */
export async function endOlder(client: Vault, mount: string, role: string, before: string): Promise<number> {
  const held = await heldLeases(client, `${mount}/creds/${role}`);
  const older = held.filter(({ issuedAt }) => isBefore(issuedAt, before));
  for (const { id } of older) await client.put("sys/leases/revoke", { lease_id: id, sync: true });
  return older.length;
}

/** How long a role lets a login live, in seconds; undefined if there is no such role. @throws StepError */
export async function readRole(client: Vault, mount: string, role: string): Promise<RoleTtl | undefined> {
  const answer = await client.get<{ data: { default_ttl: number; max_ttl: number } }>(`${mount}/roles/${role}`);
  return answer && { defaultTtl: Number(answer.data.default_ttl), maxTtl: Number(answer.data.max_ttl) };
}

/** Seconds. */
export interface RoleTtl {
  readonly defaultTtl: number;
  readonly maxTtl: number;
}

/** Compares times to the nanosecond: a `Date` knows only milliseconds. */
export function isBefore(time: string, other: string): boolean {
  const [a, b] = [Date.parse(time), Date.parse(other)];
  return a === b ? fraction(time) < fraction(other) : a < b;
}

const fraction = (time: string) => (/\.(\d+)/.exec(time)?.[1] ?? "").padEnd(9, "0");
