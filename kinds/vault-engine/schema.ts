import * as z from "zod";
import { name, port, roleName, settings, text } from "../../core/schema-parts";

/** A connection's or a role's name in Vault: one word in a path. */
export const vaultName = text(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, "expected letters, digits, -, _ or .");

/**
 * How Vault's database secrets engine reaches the database. Secrets that name the same mount and connection share
 * both, and must have the same settings for them.
 */
export const vaultConnection = settings({
  /** The mount of the database secrets engine. Default `database`. */
  mount: name.default("database"),
  /** Whether this stack makes the mount. Default true; false for one that already exists, which stays as it is. */
  createMount: z.boolean().default(true),
  /** The connection's name in Vault. Default: the database's name. This stack makes it with these settings. */
  connection: vaultName.optional(),
  /**
   * Vault's own login, which changes the roles: LOGIN, CREATEROLE and ADMIN on them. Its password is the secret config
   * key `connectionPasswords`, by the connection's name.
   */
  username: roleName,
  /** The database's host as Vault reaches it. Default: the host in `database`. */
  host: z.string().min(1).optional(),
  /** The port as Vault reaches it. Default: the port in `database`. */
  port: port.optional(),
  /** The policy that lets a service read this secret. Default: the environment and the secret's name, joined by `-`. */
  policy: vaultName.optional(),
  /**
   * Whether Vault changes the password of its own login once, right after it got it, so that only Vault knows it.
   * Default false. This cannot be undone: `username` must be a login that nothing else uses.
   */
  rotateRoot: z.boolean().default(false),
});

/** The connection has its database's name unless the config says otherwise. */
export const withConnection = <
  V extends { connection?: string | undefined },
  S extends { vault: V; database: { name: string } },
>(
  secret: S,
) => ({
  ...secret,
  vault: { ...secret.vault, connection: secret.vault.connection ?? secret.database.name },
});
