import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { onFreePort } from "../../../../dev/lab/ports";
import { startProcess } from "../../../../dev/lab/processes";
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
    adminVariable: "REDISCLI_AUTH",
    tls: { mode: "disable" },
    rewriteConfig: false,
    ...changes,
  });
  return { server, reference };
}

/** A connection of the services' user, which stays open. */
export const openSession = ({ nodes: [{ host, port }], user }: Redis, password: string) =>
  RedisSession.open({ host, port, username: user, passwordPath: "" }, password);

/** A Sentinel that watches the primary, and may log in to it as a user of the servers. */
export async function startSentinel(
  redis: Redis,
  dir: string,
  as: {
    readonly user: string;
    readonly password: string;
    /** How it is started. Default: this machine's Redis. */
    readonly server?: readonly string[];
    /** How many Sentinels must agree on a failover. Default 1. */
    readonly quorum?: number;
    /** Further settings of the primary that it watches, such as `down-after-milliseconds`. */
    readonly settings?: Readonly<Record<string, number>>;
  },
) {
  const [command = "", ...args] = as.server ?? ["/usr/bin/redis-server"];
  const [primary] = redis.nodes;
  return onFreePort(async (port) => {
    const file = join(dir, `sentinel-${port}.conf`);
    const lines = [
      ...[`port ${port}`, "bind 127.0.0.1", `dir ${dir}`],
      ...[`sentinel monitor orders ${primary.host} ${primary.port} ${as.quorum ?? 1}`],
      ...[`sentinel auth-user orders ${as.user}`, `sentinel auth-pass orders ${as.password}`],
      ...Object.entries(as.settings ?? {}).map(([name, value]) => `sentinel ${name} orders ${value}`),
    ];
    await writeFile(file, `${lines.join("\n")}\n`, { mode: 0o600 });
    const logFile = join(dir, `sentinel-${port}.log`);
    const sentinel = await startProcess({ command, args: [...args, file, "--sentinel"], logFile });
    return { address: `127.0.0.1:${port}`, stop: () => sentinel.stop() };
  });
}
