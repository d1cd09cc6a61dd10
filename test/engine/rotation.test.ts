import { describe, expect, it } from "vitest";
import { startLoad } from "../../dev/lab/load";
import { DEFAULT_SERVICES } from "../../dev/lab/platform";
import { auditRows, login, setDay, setRequest, stateOf, stored, UNCHANGED, up, useBench } from "./harness";
import { trailOf } from "./leak-hunt";

describe("a password with alternating users, through its life by plain `pulumi up`", () => {
  const bench = useBench({ labOptions: { services: DEFAULT_SERVICES }, huntLeaks: true });
  const trail = trailOf(bench);

  it("adopts the role in use, rotates, ends the old login, rolls back, never fails a login and leaves no credential", async () => {
    const { lab } = bench();
    const adopted = String(lab.adopted["database/password"]);
    const load = await startLoad(lab, { loginsPerSecond: 5, services: ["signal-service", "orchestrator"] });

    await trail.up();
    expect(await stateOf(bench())).toMatchObject({ slots: [0, 1], active: 1, step: { action: "ADOPT" } });
    const first = await stored(bench(), "database/password");
    expect(await stored(bench(), "database/username")).toMatchObject({ value: "trader_b" });
    expect(await login(bench(), "trader_b", first.value)).toBe("ok");
    expect(await login(bench(), "trader", adopted)).toBe("ok");

    await setDay(bench(), 89);
    expect((await trail.previews()).stdout).toContain('~ generation: "0" => "2"');
    await trail.up();
    const second = await stored(bench(), "database/password");
    expect(second.version).toBe(first.version + 1);
    expect(second.value).not.toBe(first.value);
    expect(await login(bench(), "trader_a", second.value)).toBe("ok");
    expect(await login(bench(), "trader_b", first.value)).toBe("ok");
    expect(await login(bench(), "trader", adopted)).toBe("28000");
    for (const service of ["signal-service", "orchestrator"]) {
      expect(await lab.health(service)).toMatchObject({
        status: "healthy",
        secrets_backend: "vault",
        database: { user: "trader_a" },
      });
    }

    const again = await up(bench());
    expect(again.stdout).toMatch(UNCHANGED);

    await setDay(bench(), 90);
    await up(bench());
    expect(await login(bench(), "trader_b", first.value)).toBe("28000");

    await trail.refusal();
    await setRequest(bench(), { id: "back", activate: 1 });
    await trail.up();
    expect(await stored(bench(), "database/password")).toMatchObject({ value: first.value });
    expect(await stored(bench(), "database/username")).toMatchObject({ value: "trader_b" });
    expect(await login(bench(), "trader_b", first.value)).toBe("ok");
    expect(await lab.health("signal-service")).toMatchObject({ database: { user: "trader_b" } });

    await up(bench());
    const { logins } = await load.stop({ logins: 100 });
    expect(logins.failures).toEqual([]);
    const restarted = lab.hosts.flatMap(({ restarts }) => restarts.map(({ service }) => service));
    expect([...new Set(restarted)].sort()).toEqual(["orchestrator", "signal-service"]);

    const rows = await auditRows(bench());
    expect(rows.map(({ action, generation, status }) => [action, generation, status])).toEqual([
      ["ADOPT", 1, "SUCCESS"],
      ["ROTATE", 2, "SUCCESS"],
      ["REVOKE", 1, "SUCCESS"],
      ["ROLLBACK", 1, "SUCCESS"],
    ]);
    await trail.leadsNowhere();
  });
});
