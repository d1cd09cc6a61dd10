import { createHash } from "node:crypto";

/**
 * What Vault's database engine runs on PostgreSQL for a short-lived login. `{{name}}`, `{{password}}` and `{{expiration}}`
 * are Vault's own; one statement for each entry, since Vault splits a text at each semicolon.
 */

/** A login that is a member of the owner role and acts as it from the first moment, so that objects keep one owner. */
export const creationStatements = (owner: string): string[] => [
  `CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' IN ROLE ${identifier(owner)}`,
  `ALTER ROLE "{{name}}" SET role TO ${identifier(owner)}`,
];

/**
 * The end of a login: forbid new sessions, end open ones, drop the role. It owns nothing, so there is nothing to reassign.
 * A login that is already gone is no error: Vault would retry for ever.
 */
export const revocationStatements = (): string[] => [
  `DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{{name}}') THEN ALTER ROLE "{{name}}" NOLOGIN; END IF; END $$`,
  "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{{name}}'",
  `DROP ROLE IF EXISTS "{{name}}"`,
];

/** A renewal moves the end of the login as well. */
export const renewStatements = (): string[] => [`ALTER ROLE "{{name}}" VALID UNTIL '{{expiration}}'`];

const identifier = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** What logins are made of. */
export interface LeaseDefinition {
  readonly owner: string;
  /** Milliseconds. */
  readonly defaultTtl: number;
  /** Milliseconds. */
  readonly maxTtl: number;
  readonly creation: readonly string[];
  readonly revocation: readonly string[];
}

/** A definition as a short text, which changes whenever the definition does. */
export const fingerprint = ({ owner, defaultTtl, maxTtl, creation, revocation }: LeaseDefinition): string =>
  createHash("sha256")
    .update(JSON.stringify([owner, defaultTtl, maxTtl, creation, revocation]))
    .digest("hex")
    .slice(0, 16);
