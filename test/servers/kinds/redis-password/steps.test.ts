import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../../../cli/toolchain/project";
import { noRedis } from "../../../../dev/lab/redis";
import { parseAclLine, parseUser, passwordHash } from "../../../../kinds/redis-password/acl";
import { useRedis } from "./support";

const missing = noRedis();
if (missing !== undefined) console.warn(`skipped: the steps of Redis; ${missing}`);
const OTHERS = "a-password-of-others";

/** The programs as the engine runs them, with each slot's last answer in the environment. */
describe.skipIf(missing !== undefined)("the steps of a Redis password", () => {
  const { server, reference } = useRedis();
  const last: Record<string, string> = {};
  const run = (step: string, input: object, env: Record<string, string> = {}) =>
    execa(process.execPath, [join(projectRoot(), `dist/steps/${step}.mjs`)], {
      input: JSON.stringify({ redis: reference(), ...input }),
      env,
      reject: false,
    });
  /** One slot's step. */
  const slot = async (name: string, password: string, beside: string, valid = true) => {
    const env: Record<string, string> = last[name] === undefined ? {} : { PULUMI_COMMAND_STDOUT: last[name] };
    const { stdout, stderr } = await run("redis-user", { password, keep: [{ password: beside }], valid }, env);
    for (const secret of [password, beside]) expect(stdout + stderr).not.toContain(secret);
    last[name] = stdout;
    return JSON.parse(stdout).changed as string[];
  };
  const expectPasswords = async (...passwords: string[]) => {
    const hashes = [...passwords, OTHERS].map(passwordHash).toSorted();
    for (const node of server().nodes) {
      expect(parseUser(await node.ask<unknown>("ACL", "GETUSER", "app"))?.passwords.toSorted()).toEqual(hashes);
      const line = (await node.acl()).split("\n").find((one) => one.startsWith("user app ")) ?? "";
      expect(parseAclLine(line)?.passwords.toSorted()).toEqual(hashes);
    }
  };

  beforeAll(async () => {
    for (const node of server().nodes) await node.ask("ACL", "SETUSER", "app", `#${passwordHash(OTHERS)}`);
  });

  it("adopt, rotate twice, end, and go back to what was removed: a slot has one password, those of others stay", async () => {
    const [adopted, one, two, three] = [server().password, "password-one", "password-two", "password-three"];
    const all = reference().nodes;
    expect(await slot("b", one, adopted)).toEqual(all);
    expect(await slot("a", adopted, one)).toEqual([]);
    await expectPasswords(adopted, one);
    // The slot's step no longer knows the adopted password, and removes it.
    expect(await slot("a", two, one)).toEqual(all);
    expect(await slot("b", one, two)).toEqual([]);
    await expectPasswords(one, two);
    expect(await slot("b", one, two, false)).toEqual(all);
    await expectPasswords(two);
    expect(await slot("b", one, two)).toEqual(all);
    await expectPasswords(one, two);
    expect(await slot("a", three, one)).toEqual(all);
    await expectPasswords(one, three);
    // An update that died before its answer was saved does the same again.
    last.a = JSON.stringify({ hash: passwordHash(two) });
    expect(await slot("a", three, one)).toEqual([]);
    // Both slots may have one password: it is not removed.
    expect(await slot("b", three, three, false)).toEqual(all);
    await expectPasswords(three);
  });

  it("redis-login proves the password, names others' passwords, and prints none", async () => {
    const [password, node] = ["password-three", String(reference().nodes[0])];
    const first = await run("redis-login", { password, known: [] });
    expect(JSON.parse(first.stdout)).toMatchObject({
      loggedInAs: "app",
      nodes: reference().nodes,
      before: { [node]: expect.any(Number) },
      warnings: [expect.stringContaining(`app has passwords that this stack does not know`)],
    });
    const second = await run("redis-login", { password, before: JSON.parse(first.stdout).before });
    expect(JSON.parse(second.stdout)).toEqual({ loggedInAs: "app", nodes: reference().nodes });
    const refused = await run("redis-login", { password: "password-nobody", known: [] });
    expect([refused.exitCode, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toContain("app cannot log in to");
    expect(refused.stderr).not.toContain("password-nobody");
  });
});
