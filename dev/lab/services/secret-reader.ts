import type { LeaseSource } from "./leases";

/** One value of the store with what is needed to tell whether two belong together. */
export interface StoredValue {
  value: string;
  /** A number in Vault, an id in AWS. */
  version: number | string;
  /** Written by the pipeline with the value, the same for values that belong together; absent when a person wrote it. */
  generation?: string;
}

/** Reads values; `undefined` where nothing is. */
export interface SecretReader {
  /** What `/health` calls `secrets_backend`. */
  readonly backend: string;
  /** Where the store issues logins of its own (Vault's database engine). */
  readonly leases?: LeaseSource;
  read(path: string): Promise<StoredValue | undefined>;
  /** An existing role's login, whose password Vault rotates (a static role); undefined where it hands out none. */
  staticLogin?(path: string): Promise<StaticLogin | undefined>;
}

/** What a static role of Vault's database engine hands out. */
export interface StaticLogin {
  user: string;
  password: string;
  /** Tells one password from the next: the time of Vault's last rotation. */
  version: string;
}
