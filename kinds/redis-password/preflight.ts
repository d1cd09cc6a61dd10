import type * as z from "zod";
import type { KindChecks } from "../../components/preflight/preflight";
import { StepError } from "../../core/errors";
import { parseInfo, passwordHash, shortHash } from "./acl";
import { type RedisReference, redisReference, sentinelReference } from "./reference";

const input = redisReference.extend({ sentinel: sentinelReference.optional() });

/** What the preflight checks for a Redis password. What speaks to a server is loaded when used. */
export const redisChecks: KindChecks<z.output<typeof input>> = {
  input,
  of: ({ sentinel, ...redis }, { current, whenForeign }) => ({
    isStored: true,
    checks: [
      ...redis.nodes.map((node) => ({
        name: `Redis ${node}`,
        run: () => checkNode(redis, node, current?.password),
      })),
      { name: "replicas", needs: redis.nodes.map((node) => `Redis ${node}`), run: () => checkReplicas(redis) },
      ...(sentinel === undefined
        ? []
        : [{ name: "Sentinel", run: async () => (await import("./sentinel")).checkSentinel(redis, sentinel) }]),
    ],
    proveLogin: async ({ password }) => {
      const { tryEverywhere } = await import("./connection");
      const { outcome, evidence } = await tryEverywhere(redis, password);
      if (outcome === "works") return evidence;
      const wrong = outcome === "refused" ? `; expected the password in use. ${whenForeign}` : "";
      throw new StepError(`${evidence}${wrong}`);
    },
  }),
};

/** The oldest version with `ACL`. */
const OLDEST = 6;

/** The oldest version with `ACL DRYRUN`. */
const DRY_RUN = 7;

/** How Sentinel names its connections. */
const SENTINEL = /^sentinel-[\da-f]+-(cmd|pubsub)$/;

async function checkNode(redis: RedisReference, node: string, inUse: string | undefined) {
  const [{ connectionsAt, userOf, withAdmin }, { keptBy }] = await Promise.all([
    import("./connection"),
    import("./change"),
  ]);
  return withAdmin(redis, node, async (ask) => {
    const server = parseInfo(await ask("INFO", "server"));
    const version = server.get("redis_version") ?? "?";
    if (!(Number.parseInt(version, 10) >= OLDEST))
      throw new StepError(`${node} is Redis ${version}; expected 6.0 or newer, which has ACL users`);
    const user = await userOf(redis, node, ask);
    const problem = unusable(redis, node, user);
    if (problem !== undefined) throw new StepError(problem);
    if (Number.parseInt(version, 10) >= DRY_RUN) await checkRights(redis, node, ask);
    const [, replicatesAs] = await ask<string[]>("CONFIG", "GET", "masteruser");
    if (replicatesAs === redis.user) {
      throw new StepError(
        `${node} replicates as ${redis.user} (masteruser), whose new password it would not have (masterauth); expected another ` +
          "ACL user for replication",
      );
    }
    const watching = (await connectionsAt(redis, node, ask)).find(({ name }) => SENTINEL.test(name));
    if (watching !== undefined) {
      throw new StepError(
        `Sentinel (${watching.from}) logs in to ${node} as ${redis.user}, whose new password it would not have; expected a user of its ` +
          "own (sentinel auth-user)",
      );
    }
    const others = user.passwords.filter((hash) => inUse === undefined || hash !== passwordHash(inUse));
    const stay = others.length === 0 ? "" : `, besides the one in use ${others.map(shortHash).join(", ")}`;
    const kept = await keptBy(redis, ask);
    const valkey = server.get("valkey_version");
    const software = valkey === undefined ? `Redis ${version}` : `Valkey ${valkey}`;
    return {
      evidence: `${software}, ${redis.user} is on with ${user.passwords.length} password(s)${stay}; the ACL is kept in ${kept}`,
      warnings: kept === "not at all" ? [notKept(redis, node, server.get("config_file") ?? "")] : [],
    };
  });
}

function unusable({ user }: RedisReference, node: string, { on, nopass }: { on: boolean; nopass: boolean }) {
  if (!on) return `the ACL user ${user} is off on ${node}; expected one that logs in: \`ACL SETUSER ${user} on\``;
  if (!nopass) return undefined;
  return (
    `the ACL user ${user} of ${node} takes any password (nopass), so no login proves one; expected a user with passwords. ` +
    `Give it the one that services have, by its SHA-256, which ends nopass: \`ACL SETUSER ${user} #HASH\``
  );
}

/**
 * `ACL DRYRUN` says whether a command would be allowed, and runs nothing. Redis has it from 7 on; before, the change itself
 * shows it, before the store is written.
 */
async function checkRights(
  { admin, user }: RedisReference,
  node: string,
  ask: <T>(...command: string[]) => Promise<T>,
) {
  const hash = "0".repeat(64);
  const answer = await ask<string>("ACL", "DRYRUN", admin, "ACL", "SETUSER", user, `#${hash}`);
  if (answer !== "OK")
    throw new StepError(`${admin} may not change ${user} on ${node}: \`ACL SETUSER ${admin} +acl|setuser\``);
}

const notKept = ({ user }: RedisReference, node: string, file: string) =>
  `${node} has no ACL file, so its next restart loses the new password of ${user}: set aclfile in its config` +
  (file === "" ? "" : `, or \`rewriteConfig: true\` here, which writes ${file} anew`);

/** A replica has an ACL of its own: one that the config does not name would refuse the new password after a failover. */
async function checkReplicas(redis: RedisReference): Promise<string> {
  const { withAdmin } = await import("./connection");
  const found = await Promise.all(
    redis.nodes.map((node) => withAdmin(redis, node, async (ask) => parseInfo(await ask("INFO", "replication")))),
  );
  const attached = found.reduce((sum, info) => sum + Number(info.get("connected_slaves") ?? 0), 0);
  const named = found.filter((info) => info.get("role") === "slave").length;
  if (attached > named) {
    throw new StepError(
      `${redis.nodes.join(", ")} have ${attached} replicas, of which nodes names ${named}; expected all of them: Redis does not replicate ` +
        "its ACL, and after a failover to another one the new password would be refused",
    );
  }
  const primaries = found.length - named;
  return `${primaries} primary, ${named} replica(s), all of them named`;
}
