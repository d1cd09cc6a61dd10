import * as z from "zod";
import { calendarSettings } from "../../core/calendar-schema";
import { type DocumentKind, documentKey, documentSettings } from "../../core/document-settings";
import { passwordRuleSettings } from "../../core/password-rule-schema";
import { database, hooks, policyOverride, restart, roleName, secretName, settings } from "../../core/schema-parts";
import { paths } from "./paths/schema";

/** The keys of every strategy of a database password. */
export const passwordSettings = {
  /** What kind of credential it is. */
  kind: z.literal("postgres-password"),
  /** Its name in the audit log, in `adopted` and in requests, and its path in the store below the environment. */
  name: secretName,
  /** How to reach its PostgreSQL database. Passwords come from PGPASSWORD or PGPASSFILE. */
  database,
  /** The role that exists and owns the objects. It is adopted, never created and never dropped. Default: the database's name. */
  role: roleName.optional(),
  /** The services that read it, restarted in this order. */
  restart,
  ...hooks,
  policy: policyOverride,
  ...calendarSettings,
};

/** A password that this pipeline makes. */
export const ownPassword = settings({
  ...passwordSettings,
  /**
   * `single-user` changes the password of the role itself; `alternating-users` (default) switches between two login
   * roles, so that no login ever fails. Changing it on a running stack adopts the credential in use again.
   */
  strategy: z.enum(["single-user", "alternating-users"]).optional().default("alternating-users"),
  /**
   * Other ways to the database that services use, such as `pgbouncer:6432` or `replica:5432`: every login is proven over
   * each. Default: none. A change runs the proof again.
   */
  paths,
  /** The path of the login role's name, for alternating-users. Default: `username` beside the password. Not for format json. */
  usernamePath: secretName.optional(),
  /** How new passwords are made. A change acts at the next rotation and never before. */
  passwordRule: passwordRuleSettings.optional(),
  /**
   * How the server gets a new password. `scram` (default): as a verifier that is computed here. `plain`: as plain text, for
   * a server that checks it or takes no verifier. A change acts at the next rotation.
   */
  passwordAs: z.enum(["scram", "plain"]).optional(),
  ...documentSettings,
  /** For json and both: the names of the document's keys. Default: `username` and `password`. */
  keys: settings({
    /** The key of the user name. Left out: the document has no such key. */
    username: documentKey.optional(),
    /** The key of the password. Left out: the document has no such key. */
    password: documentKey.optional(),
  }).optional(),
}).transform(withRole);

/** The role has its database's name unless the config says otherwise. */
export function withRole<T extends { role?: string | undefined; database: { name: string } }>(secret: T) {
  return { ...secret, role: secret.role ?? secret.database.name };
}

/** A database password that this pipeline makes. */
export type PostgresPasswordConfig = z.output<typeof ownPassword>;

/** What a document of a password can contain. */
export const passwordDocument = ({ database, strategy }: PostgresPasswordConfig): DocumentKind => ({
  parts: ["username", "password"],
  needed: strategy === "alternating-users" ? ["username", "password"] : ["password"],
  given: { host: database.host, port: database.port, dbname: database.name },
});

/** The path of the login role's name, beside the password unless the config says otherwise. */
export const usernamePathOf = ({
  name,
  usernamePath,
}: {
  readonly name: string;
  readonly usernamePath?: string | undefined;
}) => usernamePath ?? name.replace(/[^/]+$/, "username");
