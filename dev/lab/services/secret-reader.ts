import type { LeaseSource } from "./leases";

/** One value of the store with what shows whether two belong together. */
export interface StoredValue {
  value: string;
  /** A number in Vault, an id in AWS. */
  version: number | string;
  /** Written by the pipeline with the value, the same for values that belong together; absent when a person wrote it. */
  generation?: string;
}

/** A JSON document of the store. */
export interface StoredDocument {
  data: Readonly<Record<string, unknown>>;
  version: number | string;
}

/** Reads values; `undefined` for an empty path. */
export interface SecretReader {
  /** What `/health` calls `secrets_backend`. */
  readonly backend: string;
  /** Where the store issues logins of its own (Vault's database engine). */
  readonly leases?: LeaseSource;
  read(path: string): Promise<StoredValue | undefined>;
  /** A JSON document with its version; undefined for an empty path. */
  document(path: string): Promise<StoredDocument | undefined>;
  /** An existing role's login, whose password Vault rotates (a static role); undefined if there is none. */
  staticLogin?(path: string): Promise<StaticLogin | undefined>;
}

/** A static role's login. */
export interface StaticLogin {
  user: string;
  password: string;
  /** Tells one password from the next: the time of Vault's last rotation. */
  version: string;
}
