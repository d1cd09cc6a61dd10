import { describe, expect, it } from "vitest";
import { startLoad } from "../../dev/lab/load";
import { noticesForeignWrites } from "./foreign-write";
import { auditRows, login, setDay, setRequest, stateOf, stored, UNCHANGED, up, useBench } from "./harness";
import { labelled, tagsOf } from "./labels";
import { trailOf } from "./leak-hunt";

describe("a password with alternating users, kept in AWS Secrets Manager", () => {
  const bench = useBench({ labOptions: { store: "aws" }, huntLeaks: true });
  const trail = trailOf(bench);

  it("adopts the secret in use, rotates, rolls back, never fails a login and leaves no credential", async () => {
    const { lab } = bench();
    const adopted = String(lab.adopted["database/password"]);
    const arn = async () => (await lab.moto?.secrets.describeSecret({ SecretId: "paper/database/password" }))?.ARN;
    const before = await arn();
    const load = await startLoad(lab, { loginsPerSecond: 5, services: ["signal-service", "orchestrator"] });

    await trail.up();
    expect(await stateOf(bench())).toMatchObject({ slots: [0, 1], active: 1, step: { action: "ADOPT" } });
    expect(await arn()).toBe(before);
    const first = await stored(bench(), "database/password");
    expect(await labelled(bench(), "database/password")).toEqual({ current: first.value, previous: adopted });
    expect(await login(bench(), "trader_b", first.value)).toBe("ok");

    await setDay(bench(), 89);
    expect((await trail.previews()).stdout).toContain('~ generation: "0" => "2"');
    await trail.up();
    const second = await stored(bench(), "database/password");
    expect(await labelled(bench(), "database/password")).toEqual({ current: second.value, previous: first.value });
    expect(await labelled(bench(), "database/username")).toEqual({ current: "trader_a", previous: "trader_b" });
    expect(await lab.health("signal-service")).toMatchObject({
      status: "healthy",
      secrets_backend: "aws",
      database: { user: "trader_a", generation: "slot-a" },
    });

    expect(await tagsOf(bench(), "database/password")).toMatchObject({
      status: "active",
      rotation_date: "2027-02-20T02:00:00.000Z",
      generation: "2",
      previous_generation: "1",
      grace_until: "2027-02-21T02:00:00.000Z",
    });

    const again = await up(bench());
    expect(again.stdout).toMatch(UNCHANGED);

    await trail.refusal();
    await setRequest(bench(), { id: "back", activate: 1 });
    await trail.up();
    expect(await labelled(bench(), "database/password")).toEqual({ current: first.value, previous: second.value });
    expect(await labelled(bench(), "database/username")).toEqual({ current: "trader_b", previous: "trader_a" });
    expect(await lab.health("orchestrator")).toMatchObject({ status: "healthy", database: { user: "trader_b" } });

    const { logins } = await load.stop({ logins: 100 });
    expect(logins.failures).toEqual([]);
    expect((await auditRows(bench())).map(({ action }) => action)).toEqual(["ADOPT", "ROTATE", "ROLLBACK"]);
    await trail.leadsNowhere();
  });

  noticesForeignWrites(bench, 178);
});
