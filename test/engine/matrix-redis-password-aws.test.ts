import { describe, expect, it } from "vitest";
import { labConfig } from "../../dev/lab/deploy";
import { noRedis } from "../../dev/lab/redis";
import { parseUser } from "../../kinds/redis-password/acl";
import { auditRows, setDay, stateOf, stored, up, useBench } from "./harness";
import { labelled } from "./labels";

const SECRET = "redis/password";
const missing = noRedis();
if (missing !== undefined) console.warn(`skipped: redis-password in AWS; ${missing}`);

describe.skipIf(missing !== undefined)("a Redis password, kept in AWS Secrets Manager", () => {
  const bench = useBench({
    labOptions: { store: "aws", redis: { replicas: 0 }, services: [{ name: "signal-service", redis: SECRET }] },
    only: [SECRET],
  });

  it("adopts, rotates and rolls back: the store's two labels, the service and the log agree", async () => {
    const { lab, stack } = bench();
    const current = async () => (await stored<string>(bench(), SECRET)).value;
    await up(bench());
    const first = await current();
    expect(await labelled(bench(), SECRET)).toEqual({ current: first, previous: lab.adopted[SECRET] });
    await setDay(bench(), 89);
    await up(bench());
    expect(await labelled(bench(), SECRET)).toEqual({ current: await current(), previous: first });
    await stack.configure("request", { id: "back", secret: SECRET, activate: 1, reason: "a test" });
    await up(bench());
    expect(await current()).toBe(first);
    expect(await lab.health("signal-service")).toMatchObject({ status: "healthy", redis: { user: "app" } });
    expect(await stateOf(bench(), SECRET)).toMatchObject({ slots: [2, 1], active: 1 });
    expect((await auditRows(bench())).map(({ action }) => action)).toEqual(["ADOPT", "ROTATE", "ROLLBACK"]);
  });

  it("gives a server that is new in the config both passwords in the next update, and restarts nothing", async () => {
    const { lab, stack } = bench();
    const [node] = lab.redis?.nodes ?? [];
    const done = async () => [lab.hosts[0]?.restarts.length, (await auditRows(bench())).length];
    const before = await done();
    const user = async () => parseUser(await node?.ask<unknown>("ACL", "GETUSER", "app"))?.passwords.toSorted();
    const passwords = await user();
    expect(passwords).toHaveLength(2);
    for (const hash of passwords ?? []) await node?.ask("ACL", "SETUSER", "app", `!${hash}`);
    const { secrets } = labConfig({ lab, only: [SECRET] }) as { secrets: object[] };
    await stack.configure("secrets", [{ ...secrets[0], nodes: [`localhost:${node?.port}`] }]);
    await up(bench());
    expect(await user()).toEqual(passwords);
    expect(await done()).toEqual(before);
  });
});
