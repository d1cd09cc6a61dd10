import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type PreflightInput, runChecks } from "../../../../components/preflight/preflight";
import { noRedis } from "../../../../dev/lab/redis";
import { passwordHash } from "../../../../kinds/redis-password/acl";
import { redisChecks } from "../../../../kinds/redis-password/preflight";
import type { RedisReference } from "../../../../kinds/redis-password/reference";
import { advised } from "../../../advice/table";
import { useRedis } from "./support";

const missing = noRedis();
if (missing !== undefined) console.warn(`skipped: Redis; ${missing}`);

describe.skipIf(missing !== undefined)("the preflight of a Redis password", () => {
  const { server, reference } = useRedis();
  const own = (redis: RedisReference) =>
    redisChecks.of(redis, { whenForeign: "Do this", current: undefined } as unknown as PreflightInput);
  const checked = async (redis = reference()) => {
    const { checks } = own(redis);
    const found = [];
    for (const { name, run } of checks) {
      const result = await run().catch((error: Error) => ({ failure: error.message }));
      found.push([name, typeof result === "string" ? { evidence: result } : result] as const);
    }
    return Object.fromEntries(found) as Record<
      string,
      { evidence?: string; failure?: string; warnings?: readonly string[] }
    >;
  };
  const failures = async (redis?: RedisReference) =>
    Object.values(await checked(redis))
      .flatMap(({ failure }) => failure ?? [])
      .join("\n");
  const primary = () => server().nodes[0];
  /** Runs a command as it is printed. */
  const run = async (command: string) => {
    for (const node of server().nodes) await node.ask(...command.split(" "));
  };
  const everywhere = (...command: string[]) => run(command.join(" "));

  afterEach(async () => {
    const { user, password, admin } = server();
    await everywhere("ACL", "SETUSER", user, "on", "resetpass", `#${passwordHash(password)}`);
    await everywhere("ACL", "SETUSER", admin, "+acl|setuser", "+acl|getuser", "+client|list");
  });

  it("passes on primary and replica, and says what it has seen", async () => {
    const found = await checked();
    const [one, two] = server().nodes;
    expect(Object.keys(found)).toEqual([`Redis ${one.address}`, `Redis ${two?.address}`, "replicas"]);
    expect(found[`Redis ${one.address}`]?.evidence).toMatch(
      /^Redis [67]\.\S+, app is on with 1 password\(s\), besides the one in use [\da-f]{8}; the ACL is kept in acl file$/,
    );
    expect(found.replicas?.evidence).toBe("1 primary, 1 replica(s), all of them named");
    expect(await failures()).toBe("");
    await expect(own(reference()).proveLogin?.({ username: "app", password: server().password })).resolves.toContain(
      "app logs in",
    );
    await expect(own(reference()).proveLogin?.({ username: "app", password: "another" })).rejects.toThrow(
      /WRONGPASS.*; expected the password in use\. Do this/,
    );
  });

  it("names a replica that the config leaves out, and a server that does not answer", async () => {
    const [one] = reference().nodes;
    expect(await failures(reference({ nodes: [String(one)] }))).toMatch(
      /have 1 replicas, of which nodes names 0; expected all of them/,
    );
    expect(await failures(reference({ nodes: [String(one), "127.0.0.1:1"] }))).toContain(
      "127.0.0.1:1: connect ECONNREFUSED",
    );
  });

  it("refuses a user who is not there, who is off, or who takes any password", async () => {
    expect(await failures(reference({ user: "nobody" }))).toContain("has no ACL user nobody");
    await everywhere("ACL", "SETUSER", "app", "off");
    const off = await failures();
    expect(off).toContain("the ACL user app is off");
    await run(advised("redis: ACL SETUSER on", off));
    expect(await failures()).toBe("");
    await everywhere("ACL", "SETUSER", "app", "nopass");
    const open = await failures();
    expect(open).toContain("takes any password (nopass), so no login proves one");
    await run(advised("redis: ACL SETUSER a hash", open).replace("HASH", passwordHash(server().password)));
    expect(await failures()).toBe("");
  });

  it("names each right that the run's own user lacks, by the rule that grants it", async () => {
    for (const right of ["acl|setuser", "acl|getuser"]) {
      await everywhere("ACL", "SETUSER", "rotation", `-${right}`);
      const said = await failures();
      expect(said).toMatch(/rotation may not (change app|use acl\|getuser) on 127/);
      await run(advised("redis: ACL SETUSER a right", said));
      expect(await failures(), right).toBe("");
    }
  });

  it("says where the run's own password comes from, if there is none or a wrong one", async () => {
    const right = process.env.REDISCLI_AUTH;
    try {
      delete process.env.REDISCLI_AUTH;
      expect(await failures()).toContain(
        "it has no password; set REDISCLI_AUTH, or REDISCLI_AUTH_FILE, in the environment of the run",
      );
      const file = join(await mkdtemp(join(tmpdir(), "redis-auth-")), "password");
      await writeFile(file, `${right}\n`);
      process.env.REDISCLI_AUTH_FILE = file;
      expect(await failures()).toBe("");
      await rm(join(file, ".."), { recursive: true });
      process.env.REDISCLI_AUTH = "wrong-password";
      const said = await failures();
      expect(said).toMatch(
        /rotation cannot log in to 127\.0\.0\.1:\d+: WRONGPASS.*`admin` in the config, with REDISCLI_AUTH/,
      );
      expect(said).not.toContain("wrong-password");
    } finally {
      delete process.env.REDISCLI_AUTH_FILE;
      process.env.REDISCLI_AUTH = right;
    }
  });

  it("refuses a user as whom replicas log in", async () => {
    await primary().ask("CONFIG", "SET", "masteruser", "app");
    expect(await failures()).toContain("replicates as app (masteruser)");
    await primary().ask("CONFIG", "SET", "masteruser", "");
  });

  it("needs nothing else of a step: all checks of one run at once", async () => {
    const given = {
      mode: "rotation",
      secretName: "redis/password",
      services: [],
      hosts: {},
    } as unknown as PreflightInput;
    const own = redisChecks.of(reference(), { ...given, current: undefined });
    const results = await runChecks(given, own);
    expect(results.filter(({ name }) => name.startsWith("Redis") || name === "replicas").every(({ ok }) => ok)).toBe(
      true,
    );
  });
});

describe.skipIf(missing !== undefined)("a server without an ACL file", () => {
  const { reference, server } = useRedis({ aclFile: false, replicas: 0 });

  it("is warned of: a restart loses the new password, unless its config is written anew", async () => {
    const warnings = async (redis: RedisReference) => {
      const [check] = redisChecks.of(redis, { current: undefined } as unknown as PreflightInput).checks;
      const result = await check?.run();
      return typeof result === "object" && "warnings" in result ? result.warnings : [];
    };
    expect(await warnings(reference())).toEqual([
      expect.stringMatching(
        /has no ACL file, so its next restart loses the new password of app: set aclfile .*rewriteConfig: true/,
      ),
    ]);
    expect(await warnings(reference({ rewriteConfig: true }))).toEqual([]);
    const { changePasswords } = await import("../../../../kinds/redis-password/change");
    const { tryEverywhere } = await import("../../../../kinds/redis-password/connection");
    const add = [passwordHash("a-second-one")];
    expect(await changePasswords(reference(), { add, remove: [] })).toMatchObject({ kept: ["not at all"] });
    await server().nodes[0].restart();
    expect((await tryEverywhere(reference(), "a-second-one")).outcome).toBe("refused");
    expect(await changePasswords(reference({ rewriteConfig: true }), { add, remove: [] })).toMatchObject({
      kept: ["redis.conf"],
    });
    await server().nodes[0].restart();
    expect((await tryEverywhere(reference(), "a-second-one")).outcome).toBe("works");
  });
});
