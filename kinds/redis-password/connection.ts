import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { createClient } from "@redis/client";
import { prefixedSecret } from "../../clients/environment-secrets";
import { publicTrust } from "../../clients/trust";
import { messageOf, StepError } from "../../core/errors";
import { type AclUser, parseConnections, parseUser, type RedisConnection } from "./acl";
import type { RedisReference } from "./reference";
import { placeOf } from "./schema";

/** Milliseconds until a server that does not answer counts as unreachable. */
const LIMIT_MS = 10_000;

/** Sends one command. @throws the server's own error */
export type Ask = <T>(...command: string[]) => Promise<T>;

/** A login at one server. */
interface Login {
  readonly username: string;
  readonly password: string;
}

/** One connection of its own for `use`, always closed afterwards. @param login empty: none */
export async function connected<T>(
  { tls }: RedisReference,
  node: string,
  login: Partial<Login>,
  use: (ask: Ask) => Promise<T>,
): Promise<T> {
  const { host, port } = placeOf(node);
  const limits = { connectTimeout: LIMIT_MS, socketTimeout: LIMIT_MS, reconnectStrategy: false } as const;
  const secured = tls.mode === "disable" ? {} : { tls: true as const, ...trustOf(tls, host) };
  const client = createClient({
    ...login,
    // In RESP2 nothing but AUTH is sent: a user of few rights may do nothing else.
    RESP: 2,
    disableClientInfo: true,
    maintNotifications: "disabled",
    socket: { host, port, ...limits, ...secured },
  });
  // Without a listener a connection that breaks ends the process.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return await use(async <A>(...command: string[]) => (await client.sendCommand(command)) as A);
  } finally {
    client.destroy();
  }
}

/** How a client checks a server of this name, and proves itself. */
export function trustOf({ mode, ca, cert, key }: RedisReference["tls"], host: string): ConnectionOptions {
  const file = (name: string, path: string) => {
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      throw new StepError(`tls.${name} names ${path}, which cannot be read: ${messageOf(error)}`);
    }
  };
  return {
    ...(ca === undefined ? publicTrust() : { ca: file("ca", ca) }),
    ...(cert === undefined || key === undefined ? {} : { cert: file("cert", cert), key: file("key", key) }),
    ...(mode === "verify-ca" ? { checkServerIdentity: () => undefined } : {}),
    // An address is no server name.
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
  };
}

/**
 * One connection as the user that changes the other one.
 *
 * @throws StepError that names the server, the user and, if a right is missing, the rule that grants it
 */
export async function withAdmin<T>(redis: RedisReference, node: string, use: (ask: Ask) => Promise<T>): Promise<T> {
  const { admin, adminVariable } = redis;
  const password = prefixedSecret(adminVariable);
  if (!password) {
    throw new StepError(
      `${admin} cannot log in to ${node}: it has no password; set ${adminVariable}, or ${adminVariable}_FILE, in the environment of the run`,
    );
  }
  let last: readonly string[] = [];
  try {
    return await connected(redis, node, { username: admin, password }, (ask) =>
      use((...command) => {
        last = command;
        return ask(...command);
      }),
    );
  } catch (error) {
    throw error instanceof StepError ? error : new StepError(adminReason(redis, node, error, last), { cause: error });
  }
}

/** Commands whose rights are given by subcommand: `+acl|save`. */
const BY_SUBCOMMAND = ["ACL", "CLIENT", "CONFIG"];

function adminReason(
  { admin, adminVariable }: RedisReference,
  node: string,
  error: unknown,
  [name = "", subcommand = ""]: readonly string[],
): string {
  const said = messageOf(error);
  if (isRefusal(error))
    return `${admin} cannot log in to ${node}: ${said}; the run's own login is \`admin\` in the config, with ${adminVariable}`;
  if (!/^NOPERM .* command/.test(said)) return `${node}: ${said}`;
  // Redis 6 names the command without its subcommand, and a right to the whole command is too much.
  const right = (BY_SUBCOMMAND.includes(name) ? `${name}|${subcommand}` : name).toLowerCase();
  return `${admin} may not use ${right} on ${node}: \`ACL SETUSER ${admin} +${right}\``;
}

/** The server has another password for the user, or the user is off. */
export const isRefusal = (error: unknown): boolean =>
  /^(WRONGPASS|NOAUTH)\b|^ERR invalid (username|password)/.test(messageOf(error));

/** The result of a real login: `unknown` if the server could not be reached. */
export interface LoginAnswer {
  readonly outcome: "works" | "refused" | "unknown";
  /** For people; never the password. */
  readonly evidence: string;
}

/** Tries a password of the user at one server. Never throws. */
export async function tryNode(redis: RedisReference, node: string, password: string): Promise<LoginAnswer> {
  const { user } = redis;
  try {
    // AUTH itself is the proof: the user may be allowed nothing else.
    await connected(redis, node, { username: user, password }, async () => undefined);
    return { outcome: "works", evidence: `${user} logs in to ${node}` };
  } catch (error) {
    const evidence = `${user} cannot log in to ${node}: ${messageOf(error)}`;
    return { outcome: isRefusal(error) ? "refused" : "unknown", evidence };
  }
}

/**
 * Tries a password of the user at every server: it works if all take it, and is refused if one refuses it. Never throws.
 */
export async function tryEverywhere(redis: RedisReference, password: string): Promise<LoginAnswer> {
  const all = await Promise.all(redis.nodes.map((node) => tryNode(redis, node, password)));
  const worst = all.find(({ outcome }) => outcome === "refused") ?? all.find(({ outcome }) => outcome === "unknown");
  return worst ?? { outcome: "works", evidence: `${redis.user} logs in to ${redis.nodes.join(", ")}` };
}

/** The servers that still take a password, of those that can be reached. Never throws. */
export async function whereItWorks(redis: RedisReference, password: string): Promise<string[]> {
  const all = await Promise.all(redis.nodes.map(async (node) => ({ node, ...(await tryNode(redis, node, password)) })));
  return all.filter(({ outcome }) => outcome === "works").map(({ node }) => node);
}

/** @throws StepError if there is no such user */
export async function userOf(redis: RedisReference, node: string, ask: Ask): Promise<AclUser> {
  const user = parseUser(await ask("ACL", "GETUSER", redis.user));
  if (user !== undefined) return user;
  throw new StepError(
    `${node} has no ACL user ${redis.user}; expected the user that services log in with on each of ${redis.nodes.join(", ")}`,
  );
}

/** The connections of the user at one server, and where they are. */
export async function connectionsAt(
  redis: RedisReference,
  node: string,
  ask: Ask,
): Promise<(RedisConnection & { readonly node: string })[]> {
  const all = parseConnections(await ask<string>("CLIENT", "LIST"));
  return all.filter(({ user }) => user === redis.user).map((connection) => ({ ...connection, node }));
}
