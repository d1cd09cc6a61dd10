import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PreflightInput } from "../../../../components/preflight/preflight";
import { noRedis } from "../../../../dev/lab/redis";
import { passwordHash } from "../../../../kinds/redis-password/acl";
import { redisChecks } from "../../../../kinds/redis-password/preflight";
import { startSentinel, useRedis } from "./support";

const missing = noRedis();
if (missing !== undefined) console.warn(`skipped: Sentinel; ${missing}`);
/** What Sentinel needs at the servers it watches. */
const RIGHTS = "&* +subscribe +publish +ping +info +role +client +multi +exec +slaveof +replicaof +config";

describe.skipIf(missing !== undefined)("Redis Sentinel", () => {
  const { server, reference } = useRedis();
  let dir = "";
  const running: { stop(): Promise<void> }[] = [];
  const watched = async (user: string, password: string) => {
    for (const node of server().nodes)
      await node.ask("ACL", "SETUSER", user, "on", `#${passwordHash(password)}`, ...RIGHTS.split(" "));
    const sentinel = await startSentinel(server(), dir, { user, password });
    running.push(sentinel);
    return sentinel;
  };
  const failures = async (nodes: readonly string[], sentinel: { nodes: string[]; master: string }) => {
    const redis = { ...reference({ nodes: [...nodes] }), sentinel };
    const { checks } = redisChecks.of(redis, { current: undefined } as unknown as PreflightInput);
    const found = await Promise.all(
      checks.map(({ run }) =>
        run().then(
          () => "",
          (error: Error) => error.message,
        ),
      ),
    );
    return found.join("\n").trim();
  };

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "sentinel-"));
  });
  afterAll(async () => {
    for (const one of running) await one.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it("must know no server that the config does not name, by name or by address", async () => {
    const { address } = await watched("sentinel", "of-the-sentinel");
    const all = server().nodes.map((node) => node.address);
    const asked = (nodes: readonly string[], sentinel = { nodes: ["127.0.0.1:1", address], master: "orders" }) =>
      failures(nodes, sentinel);
    // It finds the replica within ten seconds.
    await expect
      .poll(() => asked([String(all[0])]), { timeout: 30_000 })
      .toContain(`Sentinel knows ${all[1]} of orders`);
    expect(await asked(all)).toBe("");
    expect(await asked(all.map((one) => one.replace("127.0.0.1", "localhost")))).toBe("");
    expect(await asked(all, { nodes: [address], master: "others" })).toMatch(/no Sentinel answers: .*No such master/);
  });

  it("must not log in as the user that is rotated", async () => {
    const all = server().nodes.map((node) => node.address);
    const sentinel = await watched("app", server().password);
    const asked = () => failures(all, { nodes: [sentinel.address], master: "orders" });
    await expect
      .poll(asked, { timeout: 30_000 })
      .toMatch(/^Sentinel \(127\.0\.0\.1\) logs in to 127\.0\.0\.1:\d+ as app/);
  });
});
