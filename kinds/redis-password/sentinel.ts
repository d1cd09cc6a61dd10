import { lookup } from "node:dns/promises";
import { prefixedSecret } from "../../clients/environment-secrets";
import { messageOf, StepError } from "../../core/errors";
import { hostInUrl } from "../../core/schema-parts";
import { pairsIn } from "./acl";
import { type Ask, connected } from "./connection";
import type { RedisReference, SentinelReference } from "./reference";
import { placeOf } from "./schema";

/**
 * Compares the config's servers with those that Sentinel knows: it may make any of these the primary, whether it is connected
 * at the moment or not.
 *
 * @returns the evidence @throws StepError if one is missing in the config, or no Sentinel answers
 */
export async function checkSentinel(redis: RedisReference, sentinel: SentinelReference): Promise<string> {
  const [primary, ...replicas] = await firstAnswer(redis, sentinel, async (ask) => [
    addressIn(await ask("SENTINEL", "MASTER", sentinel.master)),
    ...(await ask<unknown[]>("SENTINEL", "REPLICAS", sentinel.master)).map(addressIn),
  ]);
  const named = new Set((await Promise.all(redis.nodes.map(resolved))).flat());
  const known = [primary, ...replicas].filter((address) => address !== undefined);
  const isNamed = await Promise.all(
    known.map(async (address) => (await resolved(address)).some((one) => named.has(one))),
  );
  const missing = known.filter((_, index) => !isNamed[index]);
  if (missing.length > 0) {
    throw new StepError(
      `Sentinel knows ${missing.join(", ")} of ${sentinel.master}; expected each of its servers in nodes: Sentinel may make any of them ` +
        "the primary, and one without the new password would refuse every login",
    );
  }
  return `${sentinel.master} is ${primary}, with ${replicas.length} replica(s), all of them in nodes`;
}

/** The first Sentinel that answers; one may be down. */
async function firstAnswer<T>(
  redis: RedisReference,
  { nodes, user, variable }: SentinelReference,
  use: (ask: Ask) => Promise<T>,
): Promise<T> {
  const password = variable === undefined ? undefined : prefixedSecret(variable);
  if (variable !== undefined && !password)
    throw new StepError(
      `${user} cannot log in to Sentinel: it has no password; set ${variable} in the environment of the run`,
    );
  const login = user === undefined || password === undefined ? {} : { username: user, password };
  const failures: string[] = [];
  for (const node of nodes) {
    try {
      return await connected(redis, node, login, use);
    } catch (error) {
      failures.push(`${node}: ${messageOf(error)}`);
    }
  }
  throw new StepError(`no Sentinel answers: ${failures.join("; ")}`);
}

/** `HOST:PORT` of a server in an answer of Sentinel. */
function addressIn(reply: unknown): string | undefined {
  const fields = pairsIn(reply);
  const [host, port] = [fields?.get("ip"), fields?.get("port")];
  return typeof host === "string" && port !== undefined ? `${hostInUrl(host)}:${port}` : undefined;
}

/** Every address that a name stands for, as Sentinel may know another one than the config. */
async function resolved(address: string): Promise<string[]> {
  const { host, port } = placeOf(address);
  const all = await lookup(host, { all: true }).catch(() => []);
  return [host, ...all.map((one) => one.address)].map((one) => `${one} ${port}`);
}
