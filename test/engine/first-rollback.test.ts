import { describe, expect, it } from "vitest";
import { rollsBackTo, rowsOf } from "./half-way-support";
import { login, setDay, stateOf, stored, UNCHANGED, up, useBench } from "./harness";
import { roleAttributes } from "./role-support";

describe.each(["alternating-users", "single-user"] as const)("the very first rotation, %s", (strategy) => {
  const bench = useBench({ strategies: { "database/password": strategy } });

  it("is rolled back to the adopted password", { timeout: 600_000 }, async () => {
    const { lab } = bench();
    const adopted = String(lab.adopted["database/password"]);
    const role = await roleAttributes(bench(), "trader");
    await up(bench());
    if (strategy === "alternating-users") {
      // Long after the grace period: the role's login has ended and comes back.
      await setDay(bench(), 10);
      await up(bench());
    }
    expect(await login(bench(), "trader", adopted)).not.toBe("ok");

    await rollsBackTo(bench(), 0);
    expect(await stateOf(bench())).toMatchObject({ slots: [0, 1], active: 0 });
    expect(await stored(bench(), "database/password")).toMatchObject({ value: adopted });
    expect(await login(bench(), "trader", adopted)).toBe("ok");
    expect(await roleAttributes(bench(), "trader")).toEqual(role);
    for (const service of ["signal-service", "orchestrator"]) {
      expect(await lab.health(service)).toMatchObject({ status: "healthy", database: { user: "trader" } });
    }

    const again = await up(bench());
    expect(again.stdout).toMatch(UNCHANGED);
    expect(await rowsOf(bench())).toEqual([
      ["ADOPT", 1],
      ...(strategy === "alternating-users" ? [["REVOKE", 0]] : []),
      ["ROLLBACK", 0],
    ]);
  });
});
