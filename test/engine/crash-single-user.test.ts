import { describe, expect, it } from "vitest";
import { rotateKilledEachTime } from "./crash-support";
import { auditRows, login, setDay, stateOf, stored, UNCHANGED, up, useBench } from "./harness";

describe("a single user, SIGKILL of `pulumi up` in the middle of a rotation", () => {
  const bench = useBench({ strategies: { "database/password": "single-user" } });

  it("is finished by the next runs with the same generation, and the services hold it", {
    timeout: 600_000,
  }, async () => {
    const { lab } = bench();
    await up(bench());
    const before = await stored(bench(), "database/password");

    await setDay(bench(), 89);
    await rotateKilledEachTime(bench());
    const after = await stored(bench(), "database/password");
    expect(await stateOf(bench())).toMatchObject({ slots: [2, 1], active: 0 });
    expect(await login(bench(), "trader", after.value)).toBe("ok");
    expect(await login(bench(), "trader", before.value)).toBe("28P01");
    for (const service of ["signal-service", "orchestrator"]) {
      expect(await lab.health(service)).toMatchObject({ status: "healthy", database: { version: after.version } });
    }

    const again = await up(bench());
    expect(again.stdout).toMatch(UNCHANGED);
    expect((await auditRows(bench())).map(({ action, generation }) => [action, generation])).toEqual([
      ["ADOPT", 1],
      ["ROTATE", 2],
    ]);
  });
});
