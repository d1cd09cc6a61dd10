import { describe, expect, it } from "vitest";
import { startLoad } from "../../dev/lab/load";
import { failsHalfWayAt, giveUpSoon, rollsBackTo, rotatesAfterRollback, rowsOf } from "./half-way-support";
import { login, setDay, stateOf, stored, up, useBench } from "./harness";

describe("alternating users, a rotation that stops at an unhealthy service", () => {
  const bench = useBench();

  it("is rolled back by a request, and the next rotation has a generation of its own", {
    timeout: 600_000,
  }, async () => {
    const { lab } = bench();
    await giveUpSoon(bench());
    await up(bench());
    const first = await stored(bench(), "database/password");
    const load = await startLoad(lab, { loginsPerSecond: 15, services: ["signal-service", "orchestrator"] });

    await setDay(bench(), 89);
    await failsHalfWayAt(bench(), "signal-service");
    const abandoned = await stored(bench(), "database/password");
    expect(await login(bench(), "trader_a", abandoned.value)).toBe("ok");

    await rollsBackTo(bench(), 1);
    expect(await stateOf(bench())).toMatchObject({ slots: [2, 1], active: 1 });
    expect(await stored(bench(), "database/password")).toMatchObject({ value: first.value });
    expect(await stored(bench(), "database/username")).toMatchObject({ value: "trader_b" });
    for (const service of ["signal-service", "orchestrator"]) {
      expect(await lab.health(service)).toMatchObject({ status: "healthy", database: { user: "trader_b" } });
    }

    await rotatesAfterRollback(bench(), 89, 3);
    const third = await stored(bench(), "database/password");
    expect(await login(bench(), "trader_a", third.value)).toBe("ok");
    expect(await login(bench(), "trader_a", abandoned.value)).toBe("28P01");
    const { logins } = await load.stop();
    expect(logins.failures).toEqual([]);
    expect(await rowsOf(bench())).toEqual([
      ["ADOPT", 1],
      ["ROLLBACK", 1],
      ["ROTATE", 3],
    ]);
  });
});
