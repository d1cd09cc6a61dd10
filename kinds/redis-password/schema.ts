import * as z from "zod";
import { calendarSettings } from "../../core/calendar-schema";
import { type DocumentKind, documentKey, documentSettings } from "../../core/document-settings";
import { passwordRuleSettings } from "../../core/password-rule-schema";
import { hooks, policyOverride, port, restart, secretName, settings, text } from "../../core/schema-parts";

/** A name, an IPv4 address, or an IPv6 address in brackets; and a port. */
const ADDRESS = /^(\[[\da-fA-F:.]+\]|[^\s:@/[\]]+):(\d{1,5})$/;

const EXPECTED = "expected HOST:PORT, such as redis-1.internal:6379";

const node = z.string(EXPECTED).refine((value) => port.safeParse(Number(ADDRESS.exec(value)?.[2])).success, EXPECTED);

const absoluteFile = text(/^\/./, "expected an absolute path");

/** As Redis takes one in an ACL: no space, and none of the characters that begin a rule. */
const userName = text(/^[^\s"'{}]{1,100}$/, "expected the name of an ACL user, without spaces and quotes");

const variable = text(
  /^REDISCLI_AUTH(_[A-Z0-9_]+)?$/,
  "expected REDISCLI_AUTH, or a name that begins with REDISCLI_AUTH_",
);

/** A password of an ACL user of Redis or Valkey. */
export const redisPasswordSchema = settings({
  /** What kind of credential it is. */
  kind: z.literal("redis-password"),
  /** Its name in the audit log, in `adopted` and in requests, and its path in the store below the environment. */
  name: secretName,
  /** The ACL user, which exists. Only its passwords are changed, and of these only the ones that this stack knows. */
  user: userName,
  /**
   * Every server that has the user, as `HOST:PORT`: the primary and each replica, or each node of a cluster. Redis does not
   * replicate its ACL. A server that is added gets the passwords in the next update.
   */
  nodes: z.array(node).min(1, "expected at least one server as HOST:PORT"),
  /**
   * The ACL user that changes the other one. Its password comes from REDISCLI_AUTH, as for `redis-cli`, or from the file that
   * REDISCLI_AUTH_FILE names. Default: `default`.
   */
  admin: userName.default("default"),
  /** The variable with the password of `admin`, if several servers have different ones: REDISCLI_AUTH_ and a name. */
  adminVariable: variable.default("REDISCLI_AUTH"),
  /** Redis Sentinel, if it watches the servers: the preflight then compares `nodes` with all that it knows. Default: not asked. */
  sentinel: settings({
    /** The Sentinels, as `HOST:PORT`. The first that answers is asked. */
    nodes: z.array(node).min(1, "expected at least one Sentinel as HOST:PORT"),
    /** The name that Sentinel has for the primary. */
    master: text(/^[\w.-]+$/, "expected the name that Sentinel has for the primary, such as mymaster"),
    /** The user at Sentinel itself, if it asks for one. Default: none. */
    user: userName.optional(),
    /** The variable with that user's password: REDISCLI_AUTH_ and a name. */
    variable: variable.optional(),
  }).optional(),
  /** How the servers are reached. */
  tls: settings({
    /**
     * `verify-full` (default) checks the server's certificate and name, `verify-ca` the certificate alone. `disable`: without
     * TLS, so passwords cross the network in plain text.
     */
    mode: z.enum(["disable", "verify-ca", "verify-full"]).default("verify-full"),
    /** A file with the authorities that sign the servers' certificates. Default: the public ones, and SSL_CERT_FILE. */
    ca: absoluteFile.optional(),
    /** The client certificate's file, with `key`, if the servers ask for one (`tls-auth-clients`). */
    cert: absoluteFile.optional(),
    /** The client certificate's key, without a passphrase. */
    key: absoluteFile.optional(),
  }).default({ mode: "verify-full" }),
  /**
   * Writes the change into `redis.conf` with `CONFIG REWRITE` if the server has no ACL file. It also writes whatever others have
   * set with `CONFIG SET`. Default false: the preflight warns that a restart of such a server loses the new password.
   */
  rewriteConfig: z.boolean().default(false),
  /** How new passwords are made. A change acts at the next rotation and never before. */
  passwordRule: passwordRuleSettings.optional(),
  /** The services that read it, restarted in this order. */
  restart,
  ...hooks,
  policy: policyOverride,
  ...calendarSettings,
  ...documentSettings,
  /** For json and both: the names of the document's keys. Default: `username` and `password`. */
  keys: settings({
    /** The key of the user name. Left out: the document has no such key. */
    username: documentKey.optional(),
    /** The key of the password. Left out: the document has no such key. */
    password: documentKey.optional(),
  }).optional(),
});

export type RedisPasswordConfig = z.output<typeof redisPasswordSchema>;

/** Host and port of a node. */
export function placeOf(address: string): { readonly host: string; readonly port: number } {
  const [, host = "", number] = ADDRESS.exec(address) ?? [];
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(number) };
}

/** What a document of such a password can contain. The first node's address is `{host}` and `{port}`. */
export const redisDocument = ({ nodes: [first = ""] }: Pick<RedisPasswordConfig, "nodes">): DocumentKind => ({
  parts: ["username", "password"],
  needed: ["password"],
  given: placeOf(first),
});
