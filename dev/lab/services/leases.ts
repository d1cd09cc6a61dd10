import type { VaultStoreConfig } from "./types";

/** A login that Vault's database engine made, and how long it may be used. Times are epoch milliseconds. */
export interface Lease {
  readonly id: string;
  readonly user: string;
  readonly password: string;
  /** How long a renewal lasts, as the role says; a renewal that gives less says that `max_ttl` is near. */
  readonly ttlMs: number;
  readonly expiresAt: number;
}

/** Vault no longer knows the lease: revoked, or past its end. */
export class LeaseLostError extends Error {
  constructor(id: string) {
    super(`the database lease ${shortLease(id)} is lost (revoked or expired): fetching a new credential`);
  }
}

/** Issues and renews logins of Vault's database engine. */
export interface LeaseSource {
  /** A new login from `<mount>/creds/<role>`; undefined if there is no such role, or it may not be read. */
  issue(path: string): Promise<Lease | undefined>;
  /** The lease with its new end. @throws LeaseLostError if Vault does not know it any more */
  renew(lease: Lease): Promise<Lease>;
}

/** The end of a lease's id: enough to find it in a list, too little to use it. */
export const shortLease = (id: string): string => `…${id.slice(-6)}`;

/** When a lease is to be renewed: two thirds into what it has left. */
export const renewAt = (lease: Pick<Lease, "expiresAt">, now: number): number =>
  now + ((lease.expiresAt - now) * 2) / 3;

/** Whether a renewal gave less than the role's ttl, because `max_ttl` is near. Vault counts in whole seconds. */
export const nearsItsEnd = (renewed: Lease, now: number): boolean => renewed.expiresAt - now < renewed.ttlMs - 1500;

/** Leases over Vault's HTTP API. */
export function vaultLeases({ address, token }: VaultStoreConfig): LeaseSource {
  const ask = async (method: string, path: string, body?: object): Promise<{ status: number; answer: LeaseAnswer }> => {
    const response = await fetch(`${address}/v1/${path}`, {
      method,
      headers: { "X-Vault-Token": token },
      signal: AbortSignal.timeout(5000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, answer: (await response.json().catch(() => ({}))) as LeaseAnswer };
  };
  return {
    async issue(path) {
      const asked = Date.now();
      const { status, answer } = await ask("GET", path);
      const missing =
        status === 403 || status === 404 || (status === 400 && /unknown role/.test(String(answer.errors)));
      if (missing) return undefined;
      if (status !== 200 || answer.data === undefined) throw refused(path, status, answer);
      const { username: user, password } = answer.data;
      const ttlMs = answer.lease_duration * 1000;
      return { id: answer.lease_id, user, password, ttlMs, expiresAt: asked + ttlMs };
    },
    async renew(lease) {
      const asked = Date.now();
      const { status, answer } = await ask("PUT", "sys/leases/renew", { lease_id: lease.id });
      if (status !== 200 && LOST.test(String(answer.errors))) throw new LeaseLostError(lease.id);
      if (status !== 200) throw refused("sys/leases/renew", status, answer);
      return { ...lease, expiresAt: asked + answer.lease_duration * 1000 };
    },
  };
}

/** Vault answers 400 to every renewal that fails; its message distinguishes a lost lease from a database that is down. */
const LOST = /lease not found|lease expired|invalid lease|not renewable|role .* does not exist/;

interface LeaseAnswer {
  readonly lease_id: string;
  /** Seconds. */
  readonly lease_duration: number;
  readonly data?: { readonly username: string; readonly password: string };
  readonly errors?: readonly string[];
}

const refused = (path: string, status: number, { errors }: LeaseAnswer) =>
  new Error(`Vault answered HTTP ${status} for ${path}: ${(errors ?? []).join("; ").trim().slice(0, 200)}`);
