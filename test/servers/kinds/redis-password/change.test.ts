import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nextState } from "../../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../../core/policy";
import { noRedis, type Redis, startRedis } from "../../../../dev/lab/redis";
import { parseAclLine, parseUser, passwordHash } from "../../../../kinds/redis-password/acl";
import { changePasswords } from "../../../../kinds/redis-password/change";
import { tryEverywhere, whereItWorks } from "../../../../kinds/redis-password/connection";
import { endConnections } from "../../../../kinds/redis-password/end-connections";
import { leftConnections, otherPasswords } from "../../../../kinds/redis-password/login";
import { seeOldPassword } from "../../../../kinds/redis-password/old-password";
import type { RedisReference } from "../../../../kinds/redis-password/reference";
import type { RedisPasswordConfig } from "../../../../kinds/redis-password/schema";
import { openSession, useRedis } from "./support";

const missing = noRedis();
if (missing !== undefined) console.warn(`skipped: Redis; ${missing}`);
const [NEW, OTHERS] = ["a-new-password-of-a-test", "a-password-of-others"];
const outcome = async (redis: RedisReference, password: string) => (await tryEverywhere(redis, password)).outcome;

describe.skipIf(missing !== undefined)("the passwords of an ACL user", () => {
  const { server, reference } = useRedis();

  it("change at every server by their hashes, leave all others alone, and outlive a restart", async () => {
    const redis = reference();
    const { nodes, password } = server();
    for (const node of nodes) {
      await node.ask("CONFIG", "SET", "slowlog-log-slower-than", "0");
      await node.ask("ACL", "SETUSER", "app", `#${passwordHash(OTHERS)}`, "~extra:*");
    }
    const rules = async () => parseUser(await nodes[0].ask<unknown>("ACL", "GETUSER", "app"));
    expect(await changePasswords(redis, { add: [passwordHash(NEW)], remove: [] })).toEqual({
      changed: redis.nodes,
      kept: ["acl file", "acl file"],
    });
    for (const one of [NEW, OTHERS, password]) expect(await outcome(redis, one), one).toBe("works");
    expect(await changePasswords(redis, { add: [passwordHash(NEW)], remove: [] })).toMatchObject({ changed: [] });

    const removed = { add: [passwordHash(NEW)], remove: [passwordHash(password)] };
    await changePasswords(redis, removed);
    expect(await outcome(redis, password)).toBe("refused");
    expect(await whereItWorks(redis, password)).toEqual([]);
    expect((await rules())?.passwords).toEqual([passwordHash(OTHERS), passwordHash(NEW)]);

    for (const node of nodes) {
      const line = (await node.acl()).split("\n").find((one) => one.startsWith("user app "));
      expect(parseAclLine(line ?? "")?.passwords).toEqual([passwordHash(OTHERS), passwordHash(NEW)]);
      // The rule of another administrator stays.
      expect(line).toContain("~extra:*");
      const log = JSON.stringify(await node.ask<unknown>("SLOWLOG", "GET", "128"));
      for (const secret of [NEW, OTHERS, password]) expect(log).not.toContain(secret);
    }
    await nodes[1]?.restart();
    expect(await outcome(redis, NEW)).toBe("works");
    await changePasswords(redis, { add: [passwordHash(password)], remove: [passwordHash(OTHERS), passwordHash(NEW)] });
    expect((await rules())?.passwords).toEqual([passwordHash(password)]);
  });

  it("of others are named before the store is written, and clients from before after the restarts", async () => {
    const redis = reference();
    const { password, nodes } = server();
    const before = await openSession(server(), password);
    const clean = await otherPasswords(redis, [password]);
    expect(clean.warning).toBeUndefined();
    expect(Object.keys(clean.connections)).toEqual(redis.nodes);
    await nodes[0].ask("ACL", "SETUSER", "app", `#${passwordHash(OTHERS)}`);
    const { warning } = await otherPasswords(redis, [password]);
    expect(warning).toBe(
      `app has passwords that this stack does not know, and which it leaves valid (SHA-256 begins with): ${passwordHash(OTHERS).slice(0, 8)} at ${nodes[0].address}`,
    );
    await nodes[0].ask("ACL", "SETUSER", "app", `!${passwordHash(OTHERS)}`);

    const after = await openSession(server(), password);
    expect(await leftConnections(redis, clean.connections)).toMatch(
      /^1 connection of app from before the new password: a client without a name from 127\.0\.0\.1\. /,
    );
    before.close();
    expect(await leftConnections(redis, clean.connections)).toBeUndefined();
    after.close();
  });

  it("stay while a connection from before the rotation is open, and a leaked one's connections are ended", async () => {
    const secret = { ...reference(), name: "redis/password" } as unknown as RedisPasswordConfig;
    const over = { ...policy, gracePeriod: 0 as never };
    const inUse = (secondsAgo: number, given = secret) => {
      const now = new Date();
      const state = nextState(undefined, {
        now: new Date(now.getTime() - secondsAgo * 1000),
        policy,
        hasAdopted: true,
      });
      return seeOldPassword(given, over, state, now);
    };
    const session = await openSession(server(), server().password);
    // Redis counts whole seconds.
    await expect.poll(() => inUse(0), { timeout: 10_000 }).toBe("a client without a name from 127.0.0.1");
    // Opened after the rotation: it may have either password.
    expect(await inUse(3600)).toBe("");
    expect(await inUse(0, { ...secret, nodes: ["127.0.0.1:1"] })).toMatch(/^unknown \(/);

    expect(await endConnections(secret, "app", new Date(Date.now() - 60_000))).toEqual({ ended: 0, left: 0 });
    expect(await endConnections(secret, "app", undefined)).toEqual({ ended: 1, left: 0 });
    await expect(session.ask("PING")).rejects.toThrow("the connection ended");
  });
});

describe.skipIf(missing !== undefined)("a Redis that speaks TLS alone, and asks for a client's certificate", () => {
  let dir = "";
  let redis: Redis;
  const path = (name: string) => join(dir, name);

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "redis-tls-"));
    const openssl = (...words: string[]) => promisify(execFile)("openssl", words, { cwd: dir });
    const self = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    await openssl("req", ...self, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=ca");
    await openssl(
      "req",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      "redis.key",
      "-out",
      "redis.csr",
      "-subj",
      "/CN=redis",
      "-addext",
      "subjectAltName=IP:127.0.0.1",
    );
    await openssl(
      "x509",
      "-req",
      "-in",
      "redis.csr",
      "-CA",
      "ca.crt",
      "-CAkey",
      "ca.key",
      "-CAcreateserial",
      "-days",
      "2",
      "-copy_extensions",
      "copy",
      "-out",
      "redis.crt",
    );
    redis = await startRedis({
      dir,
      secret: (purpose) => `of-a-test-${purpose.replaceAll(" ", "-")}`,
      tls: { ca: path("ca.crt"), cert: path("redis.crt"), key: path("redis.key") },
    });
    process.env.REDISCLI_AUTH = redis.adminPassword;
  });
  afterAll(async () => {
    await redis?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const reference = (tls: RedisReference["tls"]): RedisReference => ({
    nodes: redis.nodes.map(({ address }) => address),
    ...{ user: redis.user, admin: redis.admin, adminVariable: "REDISCLI_AUTH", rewriteConfig: false, tls },
  });
  const client = () => ({ cert: path("redis.crt"), key: path("redis.key") });

  it("is changed and tried with the CA and a certificate, and with neither of them not", async () => {
    const redis = reference({ mode: "verify-full", ca: path("ca.crt"), ...client() });
    await changePasswords(redis, { add: [passwordHash(NEW)], remove: [] });
    expect(await outcome(redis, NEW)).toBe("works");
    expect(await outcome(reference({ mode: "verify-ca", ca: path("ca.crt"), ...client() }), NEW)).toBe("works");
    const without = async (tls: RedisReference["tls"]) => tryEverywhere(reference(tls), NEW);
    expect(await without({ mode: "verify-full", ...client() })).toMatchObject({ outcome: "unknown" });
    expect(await without({ mode: "verify-full", ca: path("ca.crt") })).toMatchObject({ outcome: "unknown" });
    expect(await without({ mode: "disable" })).toMatchObject({ outcome: "unknown" });
    expect((await without({ mode: "verify-full", ca: path("gone.crt") })).evidence).toContain("tls.ca names");
  });
});
