import { describe, expect, it } from "vitest";
import { failsHalfWayAt, giveUpSoon, rollsBackTo, rotatesAfterRollback, rowsOf } from "./half-way-support";
import { login, setDay, stateOf, stored, up, useBench } from "./harness";

describe("a single user, a rotation that stops at an unhealthy service", () => {
  const bench = useBench({ strategies: { "database/password": "single-user" } });

  it("is rolled back by a request, and the next rotation has a generation of its own", {
    timeout: 600_000,
  }, async () => {
    const { lab } = bench();
    await giveUpSoon(bench());
    await up(bench());
    const first = await stored(bench(), "database/password");

    await setDay(bench(), 89);
    await failsHalfWayAt(bench(), "signal-service");
    const abandoned = await stored(bench(), "database/password");
    expect(await login(bench(), "trader", first.value)).toBe("28P01");

    await rollsBackTo(bench(), 1);
    expect(await stateOf(bench())).toMatchObject({ slots: [2, 1], active: 1 });
    const restored = await stored(bench(), "database/password");
    expect(restored.value).toBe(first.value);
    expect(await login(bench(), "trader", first.value)).toBe("ok");
    expect(await login(bench(), "trader", abandoned.value)).toBe("28P01");
    for (const service of ["signal-service", "orchestrator"]) {
      expect(await lab.health(service)).toMatchObject({ status: "healthy", database: { version: restored.version } });
    }

    await rotatesAfterRollback(bench(), 89, 3);
    const third = await stored(bench(), "database/password");
    expect(third.value).not.toBe(abandoned.value);
    expect(await login(bench(), "trader", third.value)).toBe("ok");
    expect(await rowsOf(bench())).toEqual([
      ["ADOPT", 1],
      ["ROLLBACK", 1],
      ["ROTATE", 3],
    ]);
  });
});
