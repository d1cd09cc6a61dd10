import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { type Redis, type RedisOptions, startRedis } from "../../../../dev/lab/redis";
import { RedisSession } from "../../../../dev/lab/services/redis";
import type { RedisReference } from "../../../../kinds/redis-password/reference";

/** A Redis for all tests of a file, and how a step reaches it. */
export function useRedis(options: Partial<RedisOptions> = {}) {
  let dir = "";
  let redis: Redis | undefined;
  let made = 0;
  const secret = (purpose: string) => `of-a-test-${purpose.replaceAll(" ", "-")}-${made++}`;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "redis-"));
    redis = await startRedis({ dir, secret, ...options });
    process.env.REDISCLI_AUTH = redis.adminPassword;
  });
  afterAll(async () => {
    await redis?.stop();
    await rm(dir, { recursive: true, force: true });
  });
  const server = (): Redis => {
    if (redis === undefined) throw new Error("Redis did not start");
    return redis;
  };
  const reference = (changes: Partial<RedisReference> = {}): RedisReference => ({
    nodes: server().nodes.map(({ address }) => address),
    user: server().user,
    admin: server().admin,
    adminPasswordFrom: "REDISCLI_AUTH",
    tls: { mode: "disable" },
    rewriteConfig: false,
    ...changes,
  });
  return { server, reference };
}

/** A connection of the services' user, which stays open. */
export const openSession = ({ nodes: [{ host, port }], user }: Redis, password: string) =>
  RedisSession.open({ host, port, username: user, passwordPath: "" }, password);
