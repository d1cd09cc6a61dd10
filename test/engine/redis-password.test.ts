import { describe, expect, it } from "vitest";
import type { StackStatus } from "../../cli/operate/read-status";
import type { Validation } from "../../cli/operate/validate";
import { labConfig } from "../../dev/lab/deploy";
import { startLoad } from "../../dev/lab/load";
import type { RedisNode } from "../../dev/lab/redis";
import { noRedis } from "../../dev/lab/redis";
import { tryRedisLogin } from "../../dev/lab/services/redis";
import { parseAclLine, parseUser, passwordHash } from "../../kinds/redis-password/acl";
import { fine, json, rotation, unwrapped } from "./cli-support";
import { auditRows, refusedUp, setDay, stateOf, stored, UNCHANGED, up, useBench } from "./harness";

const SECRET = "redis/password";
const READERS = ["signal-service", "orchestrator"];
const OTHERS = "a-password-of-another-team";
const missing = noRedis();
if (missing !== undefined) console.warn(`skipped: redis-password; ${missing}`);

describe.skipIf(missing !== undefined)("a Redis password, at a primary and a replica with ACL files", () => {
  const bench = useBench({
    labOptions: { redis: { replicas: 1 }, services: READERS.map((name) => ({ name, redis: SECRET })) },
    only: [SECRET],
  });
  const redis = () => {
    const { redis: found } = bench().lab;
    if (found === undefined) throw new Error("the lab has no Redis");
    return found;
  };
  const current = async () => (await stored(bench(), SECRET)).value;
  const wish = (id: string, more: object) =>
    bench().stack.configure("request", { id, secret: SECRET, reason: "a test", ...more });
  const logsIn = async ({ host, port }: RedisNode, password: string) =>
    tryRedisLogin({ host, port, username: redis().user, passwordPath: "" }, password).then(
      () => true,
      () => false,
    );
  /** At every server, and in its ACL file, the user has exactly these passwords and its other rules. */
  const expectPasswords = async (...passwords: string[]) => {
    const hashes = [...passwords, OTHERS].map(passwordHash).toSorted();
    for (const node of redis().nodes) {
      const user = parseUser(await node.ask<unknown>("ACL", "GETUSER", redis().user));
      expect(user?.passwords.toSorted(), node.address).toEqual(hashes);
      const line = (await node.acl()).split("\n").find((one) => one.startsWith(`user ${redis().user} `)) ?? "";
      expect(parseAclLine(line)?.passwords.toSorted(), node.address).toEqual(hashes);
      expect(line).toContain("~extra:*");
      for (const password of passwords) expect(await logsIn(node, password), node.address).toBe(true);
    }
  };
  /** Runs an update while services log in anew all the time: none of these logins fails. */
  const underLoad = async (act: () => Promise<unknown>) => {
    const load = await startLoad(bench().lab, { loginsPerSecond: 20 });
    await act();
    const { logins } = await load.stop({ logins: 60 });
    expect(logins.failures).toEqual([]);
    for (const name of READERS)
      expect(await bench().lab.health(name)).toMatchObject({ status: "healthy", redis: { user: redis().user } });
  };
  let first = "";
  let second = "";

  it("is adopted, previewed, rotated, ended and rolled back, and no login fails", async () => {
    const adopted = redis().password;
    for (const node of redis().nodes)
      await node.ask("ACL", "SETUSER", redis().user, `#${passwordHash(OTHERS)}`, "~extra:*");

    await underLoad(() => up(bench()));
    first = await current();
    expect(first).not.toBe(adopted);
    await expectPasswords(adopted, first);
    const [row] = await auditRows(bench());
    expect(JSON.stringify(row?.outputs)).toContain(
      `app has passwords that this stack does not know, and which it leaves valid (SHA-256 begins with): ${passwordHash(OTHERS).slice(0, 8)} at `,
    );

    // Another rule acts at the rotation, and on the new password alone.
    const { secrets } = labConfig({ lab: bench().lab, only: [SECRET] }) as { secrets: object[] };
    await bench().stack.configure("secrets", [{ ...secrets[0], passwordRule: { length: 40, classes: ["lower"] } }]);
    await setDay(bench(), 89);
    const preview = unwrapped((await bench().stack.pulumi(["preview", "--diff"])).stdout);
    expect(preview).toContain("adds the password of generation 2 of app");
    for (const secret of [adopted, first, passwordHash(first)]) expect(preview).not.toContain(secret);
    await underLoad(() => up(bench()));
    second = await current();
    expect(second).toMatch(/^[a-z]{40}$/);
    // The slot that generation 2 fills was generation 0's, whose password the state no longer has.
    await expectPasswords(first, second);

    await setDay(bench(), 91);
    await up(bench());
    await expectPasswords(second);
    for (const node of redis().nodes) expect(await logsIn(node, first)).toBe(false);

    await wish("back", { activate: 1 });
    await underLoad(() => up(bench()));
    expect(await current()).toBe(first);
    await expectPasswords(first, second);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
    expect(await stateOf(bench(), SECRET)).toMatchObject({ slots: [2, 1], active: 1 });
    expect((await auditRows(bench())).map(({ action, generation }) => [action, generation])).toEqual([
      ["ADOPT", 1],
      ["ROTATE", 2],
      ["REVOKE", 1],
      ["ROLLBACK", 1],
    ]);
  });

  it("status, validate and report tell of it", async () => {
    const [status] = (await json<StackStatus>(bench(), ["status"])).secrets;
    expect(status).toMatchObject({ name: SECRET, kind: "redis-password", strategy: "two-passwords", generation: 1 });
    const [validation] = await json<Validation[]>(bench(), ["validate", SECRET]);
    expect(validation?.points.filter(({ verdict }) => verdict === "FAILED")).toEqual([]);
    expect(JSON.stringify(validation)).toMatch(/app logs in to 127\.0\.0\.1:\d+, 127\.0\.0\.1:\d+/);
    expect(JSON.parse(await fine(bench(), ["report", "--json"]))).toMatchObject({
      secrets: [{ name: SECRET, strategy: "two-passwords", rotations: 1, rollbacks: 1 }],
    });
  });

  it("a server that lost the password is found, given it again, and refused by nothing else", async () => {
    const [, replica] = redis().nodes;
    await replica?.ask("ACL", "SETUSER", redis().user, `!${passwordHash(first)}`);
    const found = await rotation(bench(), ["diagnose", SECRET]);
    expect(found.exitCode).toBe(1);
    expect(unwrapped(found.stdout)).toContain(`${replica?.address} does not take the password in use`);
    await fine(bench(), ["diagnose", SECRET, "--fix", "--yes"]);
    await replica?.restart();
    await expectPasswords(first, second);
    expect(await fine(bench(), ["diagnose", SECRET])).toContain("No problem found");
  });

  it("a user who takes any password stops the next rotation, and nothing is changed", async () => {
    await redis().nodes[0].ask("ACL", "SETUSER", redis().user, "nopass");
    await wish("again", { rotate: true });
    const said = unwrapped(await refusedUp(bench()));
    expect(said).toContain("takes any password (nopass), so no login proves one");
    expect(said).toContain("nothing was changed");
    expect(await current()).toBe(first);
  });
});
