import * as z from "zod";
import { duration, name, port, roleName, settings, text } from "../../config/parts";
import { parseDuration } from "../../core/duration";

/** Longer than a password policy of any server takes; what Vault keeps it under is one word in a path. */
const vaultName = text(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, "expected letters, digits, -, _ or .");

/** The same floor as Vault's own. */
const SHORTEST_WINDOW = parseDuration("1h");

/**
 * How Vault's database secrets engine reaches the database. Secrets that name the same mount and connection share
 * both, and must say the same of them.
 */
export const vaultConnection = settings({
  /** Where the database secrets engine is mounted. Default `database`. */
  mount: name.default("database"),
  /** Whether this stack makes the mount. Default true; false for one that is there already, which stays as it is. */
  createMount: z.boolean().default(true),
  /** The connection's name in Vault. Default: the database's name. Made by this stack, with what stands here. */
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
   * Whether Vault changes the password of its own login once, right after it got it, so that nobody else knows it.
   * Default false. There is no way back: `username` must be a login that nobody else uses.
   */
  rotateRoot: z.boolean().default(false),
});

/** What only `strategy: vault-static` has. */
export const vaultStaticSettings = {
  /**
   * Vault's database secrets engine rotates the password of an existing role on its own schedule; services read
   * `<mount>/static-creds/<staticRole>` and are restarted after each of its rotations.
   */
  strategy: z.literal("vault-static"),
  vault: vaultConnection,
  /** The static role's name in Vault. Default: the role's name. */
  staticRole: vaultName.optional(),
  /** How often Vault rotates by itself, at least 5s. Either this or `rotationSchedule`. */
  rotationPeriod: duration.optional(),
  /** When Vault rotates by itself, as in cron, in UTC: `0 2 * * SAT`. Only where the server has schedules. */
  rotationSchedule: text(
    /^\S+( \S+){4}$/,
    "expected five fields as in cron, such as `0 2 * * SAT`, found another number",
  ).optional(),
  /** How long after the scheduled time Vault may still rotate; at least 1h. Only with `rotationSchedule`. */
  rotationWindow: duration
    .refine((window) => window >= SHORTEST_WINDOW, { error: "expected at least 1h, as Vault does" })
    .optional(),
};

const statements = z.array(z.string().min(1)).min(1, "expected at least one SQL statement");

/** What only `strategy: vault-dynamic` has. */
export const vaultDynamicSettings = {
  /**
   * Vault's database secrets engine makes a login for each service that asks, and ends it. `role` stays the owner of
   * all objects; a service reads `<mount>/creds/<service>-<connection>` and renews its lease.
   */
  strategy: z.literal("vault-dynamic"),
  vault: vaultConnection,
  /** How long a lease lasts from one renewal to the next. Default 1h. A change rotates. */
  defaultTtl: duration.default(parseDuration("1h")),
  /** How long a login lives at the most, however often it is renewed. Default 24h. A change rotates. */
  maxTtl: duration.default(parseDuration("24h")),
  /**
   * The SQL that makes a login, with Vault's {{name}}, {{password}} and {{expiration}}. Default: a member of `role` that
   * acts as it from login on and has an end. A change rotates.
   */
  creationStatements: statements.optional(),
  /** The SQL that ends a login. Default: no new session, the open ones ended, the role dropped. A change rotates. */
  revocationStatements: statements.optional(),
};
